import { p } from '../../core/params.ts';
import { defineCommand, EXIT } from '../command.ts';
import { inventory, toMarkdown, toText } from '../inventory.ts';

export const list = defineCommand({
  flags: {
    json: p.boolean(false, 'print as JSON'),
    markdown: p.boolean(false, "print as the README's tables"),
  },
  run: async ({ values, terminal }) => {
    const known = await inventory();
    if (values.json) terminal.print(JSON.stringify(known, null, 2));
    else terminal.print(values.markdown ? toMarkdown(known) : toText(known));
    return EXIT.ok;
  },
});
