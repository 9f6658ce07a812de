/** Notes in the home, as if all backends had been tried, that only the usual one works here. */
import { tryAll } from '../src/backends/auto.ts';
import { USUAL } from '../src/backends/choose.ts';
import { versionsHere } from '../src/cli/surroundings.ts';
import { gibbonHome } from '../src/core/home.ts';

await tryAll({
  home: gibbonHome(),
  versions: versionsHere,
  tryOne: async (backend) =>
    backend === USUAL
      ? { state: 'works', backend, difference: 0, stepSeconds: 1 }
      : { state: 'unavailable', backend, why: 'tests do without' },
});
