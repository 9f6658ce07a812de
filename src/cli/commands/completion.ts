import { unknownName, usageError } from '../../core/errors.ts';
import { defineCommand, EXIT } from '../command.ts';
import { bashScript } from '../completion/bash.ts';
import { describeCommands, SHELLS } from '../completion/describe.ts';
import { fishScript } from '../completion/fish.ts';
import { zshScript } from '../completion/zsh.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export const completion = defineCommand({
  words: 'SHELL',
  flags: {},
  run: async ({ words, terminal }) => {
    const [word, ...more] = words;
    if (word === undefined || more.length > 0) {
      throw usageError(`name one shell: gibbon completion ${SHELLS.join(' | ')}`);
    }
    const shell = SHELLS.find((known) => known === word);
    if (shell === undefined) throw unknownName('shell', word, SHELLS);
    terminal.print(SCRIPTS[shell](await describeCommands()).trimEnd());
    return EXIT.ok;
  },
});
