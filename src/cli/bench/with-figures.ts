import { cpuName } from '../../evaluate/provenance.ts';
import type { Inventory } from '../inventory.ts';
import { openChosen } from '../open-backend.ts';
import type { Terminal } from '../terminal.ts';
import { measureApart, measureEach } from './measure-apart.ts';

const MANNER = { variant: 'imagenet', size: 224, batch: 8, seconds: 1 } as const;

/** The inventory with each architecture's speed and memory here: its form for ImageNet, a second for each rate. */
export async function withFigures(known: Inventory, terminal: Terminal, measureOne = measureApart): Promise<Inventory> {
  const { name: backend } = await openChosen('auto', { terminal, quiet: false });
  const requests = known.architectures.map(({ name }) => ({ ...MANNER, arch: name, backend }));
  const answers = await measureEach(requests, terminal, measureOne);
  return {
    ...known,
    architectures: known.architectures.map((architecture, i) => {
      const answer = answers[i];
      return answer !== undefined && 'figures' in answer
        ? { ...architecture, measured: answer.figures }
        : { ...architecture };
    }),
    measuredWith: { cpu: cpuName(), backend, batch: MANNER.batch },
  };
}
