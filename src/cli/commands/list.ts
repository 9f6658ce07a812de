import { usageError } from '../../core/errors.ts';
import { p } from '../../core/params.ts';
import { defineCommand, EXIT } from '../command.ts';
import { type Inventory, inventory, toMarkdown, toText } from '../inventory.ts';
import type { Terminal } from '../terminal.ts';

export const list = defineCommand({
  flags: {
    measure: p.boolean(
      false,
      'also measure the speed and memory of every architecture here, which takes five to twenty minutes',
    ),
    json: p.boolean(false, 'print as JSON'),
    markdown: p.boolean(false, "print as the README's tables"),
  },
  run: async ({ values, terminal }) => {
    const { measure, json, markdown } = values;
    if (measure && markdown) throw usageError('--measure: figures of one machine are no part of --markdown');
    const known = measure ? await measured(terminal) : await inventory();
    if (json) terminal.print(JSON.stringify(known, null, 2));
    else terminal.print(markdown ? toMarkdown(known) : toText(known));
    return measure && known.architectures.some((one) => one.measured === undefined) ? EXIT.failed : EXIT.ok;
  },
});

async function measured(terminal: Terminal): Promise<Inventory> {
  // Loaded only where it is asked for: it brings the compiler.
  const { withFigures } = await import('../bench/with-figures.ts');
  return withFigures(await inventory(), terminal);
}
