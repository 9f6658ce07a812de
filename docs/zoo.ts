/**
 * Makes the bundled networks: trains those that are missing, measures those that have not been measured, and writes
 * `checkpoints/README.md`. What is there already is left as it is, so it may be interrupted, and begun again.
 *
 *     npm run zoo            # hours, on two cores
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { checkpointPath } from '../src/cli/checkpoints.ts';
import { EXIT } from '../src/cli/command.ts';
import { main } from '../src/cli/main.ts';
import { writeAtomically } from '../src/core/files.ts';
import { JOURNAL } from '../src/core/run.ts';
import { SIX } from '../src/models/registry.ts';
import { readRun } from '../src/report/read.ts';
import { trainingFiles } from '../src/train/files.ts';
import {
  type Bundled,
  bundledNetworks,
  checkpointsPage,
  FIGURES_FILE,
  type Figure,
  figuresAsText,
  figuresOf,
  PAGE,
  readFigures,
} from './checkpoints.ts';

interface Recipe {
  readonly arch: string;
  readonly training: string;
  readonly flags?: readonly string[];
}

/** An adversary so near teaches AlexNet, whose dense layers forget half of what they see, nothing at first. */
const SLOW: Readonly<Record<string, readonly string[]>> = { alexnet: ['--epochs', '10'] };

/** What is trained. */
const RECIPES: readonly Recipe[] = [
  ...SIX.small.map((arch) => ({ arch, training: 'standard' })),
  ...SIX.small.map((arch) => ({ arch, training: 'adversarial', flags: SLOW[arch] ?? [] })),
  { arch: 'vgg16', training: 'trades' },
];

/** What is measured of every network: what is cheap of all of them, before what is costly is begun. */
const MEASURED = [
  { attacks: ['fgsm', 'pgd'], flags: ['--pgd.step', '0.01', '--images', '10000'] },
  { attacks: ['autoattack'], flags: ['--images', '1000'] },
] as const;

/** Figures of one kind, whatever is the fastest here. */
const ON = ['--backend', 'onnx-cpu'];

/** In a folder of its own under `reports/`, so that what was interrupted goes on where it was. */
async function measure({ name, architecture, training }: Bundled, job: (typeof MEASURED)[number]): Promise<Figure[]> {
  const folder = join('reports', `zoo-${basename(name)}-${job.attacks.join('-')}`);
  const network = ['--arch', architecture, '--training', training];
  const words = ['experiment', ...network, '--attack', job.attacks.join(), '--epsilon', '0.3', ...ON, ...job.flags];
  const further = existsSync(join(folder, JOURNAL)) ? ['--resume'] : [];
  const code = await main([...words, '--sanity', '0', '--out', folder, ...further]);
  if (code !== EXIT.ok) process.exit(code);
  const { cells } = await readRun(folder);
  return cells
    .filter(({ attack }) => job.attacks.some((wanted) => wanted === attack))
    .map(({ attack, epsilon, images, cleanCorrect, robustCorrect }) => ({
      ...{ attack, epsilon, images, cleanCorrect, robustCorrect },
      command: `gibbon ${words.join(' ')}`,
    }));
}

for (const { arch, training, flags = [] } of RECIPES) {
  const { checkpoint, state } = trainingFiles(checkpointPath('mnist', arch, training));
  if (existsSync(checkpoint)) continue;
  const further = existsSync(state) ? ['--resume'] : [];
  const code = await main(['train', '--arch', arch, '--training', training, ...flags, ...further]);
  if (code !== EXIT.ok) process.exit(code);
}
for (const job of MEASURED) {
  for (const network of await bundledNetworks()) {
    const figures = readFigures();
    const known = figuresOf(network, figures);
    if (job.attacks.every((attack) => known.some((one) => one.attack === attack))) continue;
    process.stderr.write(`${network.name}: ${job.attacks.join(', ')}\n`);
    const found = await measure(network, job);
    const all = { ...figures, [network.name]: { sha256: network.sha256, figures: [...known, ...found] } };
    await writeAtomically(FIGURES_FILE, (file) => file.writeFile(figuresAsText(all)));
  }
}
const page = await checkpointsPage(readFigures());
await writeAtomically(PAGE, (file) => file.writeFile(page));
