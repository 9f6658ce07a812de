import { basename, dirname, join } from 'node:path';
import { compiles } from '../../backends/compiles.ts';
import { UserError, usageError } from '../../core/errors.ts';
import { p } from '../../core/params.ts';
import { Interrupted } from '../../evaluate/plan.ts';
import { printable } from '../../report/html.ts';
import { readRun } from '../../report/read.ts';
import { inColumns, numbers, words as text } from '../columns.ts';
import { defineCommand, EXIT } from '../command.ts';
import { withDownloads } from '../downloads.ts';
import { checkDefended } from '../experiment/defenses.ts';
import { experimentFlags } from '../experiment/flags.ts';
import { listOf, optional, word } from '../flags.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { openChosen } from '../open-backend.ts';
import { REPORTS } from '../out-folder.ts';
import { progressLine } from '../progress.ts';
import { RUN_FILE } from '../publish.ts';
import { checkRun, type Verdict } from '../verify/check-run.ts';
import { networksOf } from '../verify/networks.ts';

export const verify = defineCommand({
  words: 'DIR',
  flags: {
    arch: optional(listOf(word('', '', 'a module or a folder'), [], 'networks of your own that the run attacked')),
    weights: optional(
      listOf(word('', '', 'a file or a URL'), [], 'the weights that the run attacked'),
      'the checkpoints that it names',
    ),
    defense: optional(
      listOf(word('', '', 'a TypeScript file'), [], 'defenses of your own that the run put networks behind'),
    ),
    batch: p.integer(64, 'images in flight at once', { min: 1 }),
    backend: experimentFlags.backend,
    json: p.boolean(false, 'print as JSON'),
    quiet: experimentFlags.quiet,
  },
  run: async ({ values, words, terminal }) => {
    const [given, ...more] = words;
    if (given === undefined || more.length > 0) {
      throw usageError(`name one folder whose images are to be checked: gibbon verify ${join(REPORTS, 'RUN')}`);
    }
    // Who names the file means its folder.
    const folder = basename(given) === RUN_FILE ? dirname(given) : given;
    const run = await readRun(folder);
    if (run.saved === undefined) {
      throw new UserError(`${folder} holds no saved images: run its experiment with --save-images fooled, or all`);
    }
    const backend = await openChosen(values.backend, { terminal, quiet: values.quiet });
    const networks = await withDownloads(terminal, values.quiet, (fetching) => networksOf(run, values, fetching));
    if (networks === undefined) return EXIT.interrupted;
    checkDefended(
      networks.flatMap(({ network }) => network?.contender ?? []),
      { compiled: compiles(backend.name) },
    );

    const line = progressLine(terminal);
    const interrupt = listenForInterrupt(() => terminal.note('finishing the batch; Ctrl-C again ends at once'));
    const onFile = (done: number, total: number): void => {
      if (!values.quiet) line.show({ label: 'verify', done, total, unit: 'files', passing: true });
    };
    try {
      const { batch } = values;
      const verdicts = await checkRun({ folder, run, networks, backend, batch, signal: interrupt.signal, onFile });
      line.end();
      terminal.print(values.json ? JSON.stringify(verdicts, null, 2) : tableOf(verdicts));
      const wrong = verdicts.filter(({ findings }) => findings.length > 0).length;
      const checked = verdicts.length === 1 ? '1 file' : `${verdicts.length} files`;
      terminal.note(
        wrong === 0 ? `${checked}: all is as run.json says` : `${wrong} of ${checked} disagree with run.json`,
      );
      const { backend: before } = run.provenance;
      if (wrong > 0 && before !== backend.name) terminal.note(otherBackend(before, backend.name));
      const outside = verdicts.reduce((sum, { counts }) => sum + (counts?.outsideRounded ?? 0), 0);
      if (outside > 0) terminal.note(outsideNote(outside));
      return wrong === 0 ? EXIT.ok : EXIT.failed;
    } catch (error) {
      if (error instanceof Interrupted) return EXIT.interrupted;
      throw error;
    } finally {
      line.end();
      interrupt.release();
    }
  },
});

const COLUMNS = [
  ...[text('network'), text('attack'), numbers('epsilon'), numbers('images'), numbers('adversarial')],
  ...[numbers('as PNG'), numbers('PNG outside'), text('verdict')],
];

/** Files of which all is right may hold such pictures, and their owner should know. */
const outsideNote = (pictures: number): string =>
  `${pictures === 1 ? '1 PNG lies' : `${pictures} PNGs lie`} outside the ball, by up to half a level a pixel (1/510): so far ` +
  'does rounding to the nearest level lead. The float32 images lie inside, and they are what run.json counts; ' +
  '--save-rounding inward keeps PNGs inside too.';

/** Logits that are equal but for rounding are not so everywhere. */
const otherBackend = (before: string, now: string): string =>
  `${before} computed the run, and ${now} this check: an image at the very border between two classes may be on either side. ` +
  `--backend ${before} tells`;

/** A line a file; what disagrees stands behind it. */
const tableOf = (verdicts: readonly Verdict[]): string =>
  inColumns(
    COLUMNS,
    verdicts.map(({ network, attack, epsilon, counts, findings }) => [
      ...[printable(network), printable(attack), String(Number(epsilon.toPrecision(4)))],
      ...[counts?.images, counts?.fooled, counts?.fooledRounded, counts?.outsideRounded].map((count) =>
        count === undefined ? '–' : String(count),
      ),
      findings.length === 0 ? 'ok' : printable(findings.join('; ')),
    ]),
  ).join('\n');
