import { BACKENDS } from '../../backends/names.ts';
import { unknownName } from '../../core/errors.ts';
import { type Param, p } from '../../core/params.ts';
import { cpuName } from '../../evaluate/provenance.ts';
import { specOf } from '../../models/network.ts';
import { findArchitecture, SIX } from '../../models/registry.ts';
import type { Answer } from '../bench/child.ts';
import type { Figures } from '../bench/figures.ts';
import { measureEach } from '../bench/measure-apart.ts';
import { FIGURE_COLUMNS, figuresInWords } from '../bench/words.ts';
import { inColumns, words } from '../columns.ts';
import { defineCommand, EXIT } from '../command.ts';
import { listOf, oneOf, optional, word } from '../flags.ts';
import { openChosen } from '../open-backend.ts';

const architecture: Param<string> = word('', '', 'an architecture, or all');

export const bench = defineCommand({
  flags: {
    arch: listOf(architecture, ['vgg16'], 'architectures; all: one of each family'),
    variant: word('imagenet', 'form of the architecture: imagenet, small', 'a form'),
    size: optional(p.integer(224, 'height and width of the images', { min: 1 }), '224, and 28 of the small form'),
    batch: p.integer(8, 'images at once', { min: 1 }),
    seconds: p.number(5, 'how long each figure is measured', { min: 0 }),
    backend: oneOf('auto', BACKENDS, 'what computes; auto: the fastest that works here'),
    json: p.boolean(false, 'print the figures as JSON'),
  },
  run: async ({ values, terminal }) => {
    const { variant, batch, json } = values;
    const size = values.size ?? (variant === 'small' ? 28 : 224);
    const { name: backend } = await openChosen(values.backend, { terminal, quiet: false });
    const archs = architecturesOf(values.arch, variant);
    const answers = await measureEach(
      archs.map((arch) => ({ ...values, arch, size, backend })),
      terminal,
    );
    const rows = archs.flatMap((arch, i): Row[] => {
      const answer = answers[i];
      return answer !== undefined && 'figures' in answer ? [{ arch, ...answer.figures }] : [];
    });
    const failures = archs.flatMap((arch, i) => {
      const answer = answers[i];
      return answer !== undefined && 'failure' in answer ? [{ arch, failure: answer.failure }] : [];
    });
    if (json) {
      terminal.print(JSON.stringify({ cpu: cpuName(), backend, variant, size, batch, rows, failures }, null, 2));
    } else if (rows.length > 0) {
      terminal.print(`${variant} form, ${size}x${size}, batch ${batch}, ${backend}, ${cpuName()}`);
      const lines = rows.map(({ arch, ...figures }) => [arch, ...figuresInWords(figures)]);
      terminal.print(inColumns([words('architecture'), ...FIGURE_COLUMNS], lines).join('\n'));
    }
    return exitCode(answers);
  },
});

interface Row extends Figures {
  readonly arch: string;
}

/** The names meant, each known and with this form. @throws UserError (usage) */
export function architecturesOf(given: readonly string[], variant: string): string[] {
  const names = given.flatMap((name): readonly string[] => {
    if (name !== 'all') return [findArchitecture(name).name];
    const six = Object.entries(SIX).find(([form]) => form === variant)?.[1];
    if (six === undefined) throw unknownName('form of all architectures', variant, Object.keys(SIX));
    return six;
  });
  // Found out here, before minutes are spent on the others.
  for (const name of names) specOf(name, variant, [1, 1, 3], 1);
  return [...new Set(names)];
}

function exitCode(answers: readonly Answer[]): number {
  const failures = answers.filter((answer) => 'failure' in answer);
  if (failures.length === 0) return EXIT.ok;
  return failures.every(({ kind }) => kind === 'usage') ? EXIT.usage : EXIT.failed;
}
