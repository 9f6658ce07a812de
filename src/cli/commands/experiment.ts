import { join } from 'node:path';
import { shortPath } from '../../core/files.ts';
import { parseNumber } from '../../core/params.ts';
import type { Run } from '../../core/run.ts';
import { IMAGES } from '../../core/saved.ts';
import { mostSteps } from '../../evaluate/plan.ts';
import { defineCommand, EXIT } from '../command.ts';
import { withDownloads } from '../downloads.ts';
import { knownAttacks } from '../experiment/attacks.ts';
import { carryOut } from '../experiment/carry-out.ts';
import { wrappersAmong } from '../experiment/defenses.ts';
import { dryRun, forecastInWords } from '../experiment/dry-run.ts';
import { shortfalls } from '../experiment/fail-under.ts';
import { experimentFlags } from '../experiment/flags.ts';
import { configOf, planOf, type Work } from '../experiment/plan.ts';
import type { Given } from '../flags.ts';
import { goingOn } from '../journaled.ts';
import { knownDefenses } from '../known-defenses.ts';
import { flagsOfModules } from '../module-flags.ts';
import { openFile } from '../open.ts';
import { PACKAGE_ROOT } from '../paths.ts';
import { showRun, wordsToGoOn } from '../show-run.ts';

export const experiment = defineCommand({
  words: '[--images PHOTO...]',
  flags: experimentFlags,
  untold: (given) => (saysWhat(given) ? undefined : join(PACKAGE_ROOT, 'experiments', 'six-architectures.json')),
  // Read leniently: what is wrong with --attack is said when all flags are read.
  moduleFlags: async ({ attack, defense }) => {
    const attacks = await knownAttacks(experimentFlags.attack.parse(attack) ?? []);
    const defenses = await knownDefenses(experimentFlags.defense.parse(defense) ?? [], attacks.keys());
    return flagsOfModules([...attacks.values(), ...wrappersAmong(defenses).values()]);
  },
  run: async ({ values, given, untold, moduleValues, words, terminal, commandLine, commandLineWith }) => {
    const { resume, quiet, json, out } = values;
    const work = await withDownloads(terminal, quiet, (fetching) =>
      planOf(values, given, moduleValues, words, fetching, new Date(), terminal),
    );
    if (work === undefined) return EXIT.interrupted;
    if (!quiet && untold !== undefined)
      terminal.note(`measuring what ${shortPath(untold)} says; --help lists the flags`);
    if (!quiet) for (const note of work.notes) terminal.note(note);
    if (values['dry-run']) {
      const forecast = await dryRun(work.plan, work.backend.prepare);
      terminal.print(json ? JSON.stringify(forecast, null, 2) : forecastInWords(forecast));
      return EXIT.ok;
    }
    const config = configOf(values, given, moduleValues, work);
    const { run, folder } = await carryOut(work, { command: commandLine, config, resume, quiet, terminal });
    if (run === undefined) {
      terminal.note(`interrupted. Go on with: ${commandLineWith(...wordsToGoOn(values, folder))}`);
      return EXIT.interrupted;
    }

    const report = await goingOn(folder, () => showRun(run, folder, json, terminal));
    if (run.transfer !== undefined)
      terminal.note(`how images carry over between networks: ${shortPath(report)}#transfer`);
    if (run.defended !== undefined)
      terminal.note(`naive and adaptive attacks on defended networks: ${shortPath(report)}#defenses`);
    if (run.saved !== undefined) terminal.note(savedInWords(run.saved, folder));
    const stronger = strongerAttack(work);
    // A list grows when its flag is given again; a folder is written to only once.
    if (stronger !== undefined && out === null) terminal.note(`next: ${commandLineWith('--attack', stronger)}`);
    if (values.open) openFile(report, () => terminal.note(`no browser to open it in; open ${report} yourself`));

    const missed = shortfalls(values['fail-under'] ?? [], run);
    for (const line of missed) terminal.note(`--fail-under: ${line}`);
    return missed.length > 0 ? EXIT.failed : EXIT.ok;
  },
});

/** Flags that say how, and not what. */
const HOW: readonly string[] = [
  'seed',
  'batch',
  'backend',
  'sanity',
  'out',
  'resume',
  'dry-run',
  'json',
  'open',
  'quiet',
];

/** Whether anything says what to measure: a number of images does not, photographs do. */
const saysWhat = (given: Given): boolean =>
  Object.entries(given).some(
    ([name, value]) => !HOW.includes(name) && !(name === 'images' && parseNumber(value) !== undefined),
  );

/** An attack of many steps, which a claim of robustness should meet first; undefined if the run had one. */
function strongerAttack({ plan }: Work): string | undefined {
  const isIterated = plan.attacks.some((planned) => planned.attack.access !== 'none' && mostSteps(planned) > 1);
  return isIterated || plan.norm === 'L1' ? undefined : 'pgd';
}

function savedInWords(saved: NonNullable<Run['saved']>, folder: string): string {
  const images = saved.reduce((sum, { images }) => sum + images, 0);
  if (images === 0) return 'saved no images: none was fooled';
  return `saved ${images} images in ${shortPath(join(folder, IMAGES))}; gibbon verify ${shortPath(folder)} checks them`;
}
