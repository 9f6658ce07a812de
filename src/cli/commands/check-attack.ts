import { UserError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';

export const checkAttack = defineCommand({
  words: 'FILE',
  flags: {},
  run: async () => {
    throw new UserError('check-attack is not here yet. Until it is, --attack FILE.ts runs the file, with --images 20');
  },
});
