/** The page of bundled networks, `checkpoints/README.md`: from what each file says of itself, and from what was measured. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { type FoundCheckpoint, listCheckpoints } from '../src/cli/checkpoints.ts';
import { markdownTable } from '../src/cli/markdown.ts';
import { PACKAGE_ROOT } from '../src/cli/paths.ts';
import { UserError } from '../src/core/errors.ts';
import { wilson95 } from '../src/core/statistics.ts';
import { isDefended } from '../src/core/training.ts';
import { loadCheckpoint } from '../src/models/checkpoint.ts';
import { architectures } from '../src/models/registry.ts';
import { counted, duration, radius, whole } from '../src/report/format.ts';

export const PAGE = join(PACKAGE_ROOT, 'checkpoints', 'README.md');
const FIGURES = join(PACKAGE_ROOT, 'checkpoints', 'figures.json');

const count = z.number().int().min(0);

/** What one attack left of one network. */
const figure = z.object({
  attack: z.string(),
  epsilon: z.number().positive(),
  images: count.min(1),
  cleanCorrect: count,
  robustCorrect: count,
  /** The command that gives it again. */
  command: z.string(),
});
export type Figure = z.infer<typeof figure>;

/** By name, `mnist/vgg16-standard`: what was measured, and of which weights. */
const figuresSchema = z.record(z.string(), z.object({ sha256: z.string(), figures: z.array(figure) }));
export type Figures = z.infer<typeof figuresSchema>;

export const readFigures = (): Figures =>
  existsSync(FIGURES) ? figuresSchema.parse(JSON.parse(readFileSync(FIGURES, 'utf8'))) : {};

export const figuresAsText = (figures: Figures): string =>
  `${JSON.stringify(Object.fromEntries(Object.entries(figures).sort(([a], [b]) => a.localeCompare(b))), null, 2)}\n`;

export const FIGURES_FILE = FIGURES;

export interface Bundled extends FoundCheckpoint {
  /** `mnist/vgg16-standard` */
  readonly name: string;
  readonly sha256: string;
  readonly parameters: number;
  readonly command: string;
  readonly seed: number;
  /** How long its training took, in seconds; undefined if its log is gone. */
  readonly seconds: number | undefined;
}

/** The networks that came with the program, in the order of the architectures. */
export async function bundledNetworks(): Promise<readonly Bundled[]> {
  const root = join(PACKAGE_ROOT, 'checkpoints');
  const names = architectures.map(({ name }) => name);
  const found = (await listCheckpoints(names)).filter(({ path }) => path.startsWith(root));
  const rank = ({ architecture, training }: FoundCheckpoint): string =>
    `${String(names.indexOf(architecture)).padStart(3, '0')} ${isDefended(training) ? 1 : 0} ${training}`;
  const bundled: Bundled[] = [];
  for (const file of found.sort((a, b) => rank(a).localeCompare(rank(b)))) {
    const network = await loadCheckpoint(file.path);
    const { metadata, sha256, parameters } = network;
    network.dispose();
    bundled.push({
      ...file,
      name: `${basename(dirname(file.path))}/${file.architecture}-${file.training}`,
      ...{ sha256, parameters, command: metadata.command, seed: metadata.seed, seconds: secondsOf(file.path) },
    });
  }
  return bundled;
}

function secondsOf(path: string): number | undefined {
  const log = path.replace(/\.safetensors$/, '.jsonl');
  if (!existsSync(log)) return undefined;
  const epochs = readFileSync(log, 'utf8').trim().split('\n');
  return epochs.reduce((sum, line) => sum + z.object({ seconds: z.number() }).parse(JSON.parse(line)).seconds, 0);
}

/** What was measured of these very weights; nothing, if the file has changed since. */
export const figuresOf = ({ name, sha256 }: Bundled, figures: Figures): readonly Figure[] =>
  figures[name]?.sha256 === sha256 ? figures[name].figures : [];

const COLUMNS = ['fgsm', 'pgd', 'autoattack'] as const;
const TITLES: Readonly<Record<(typeof COLUMNS)[number], string>> = {
  fgsm: 'FGSM',
  pgd: 'PGD-40',
  autoattack: 'AutoAttack',
};

/** The whole page. */
export async function checkpointsPage(figures: Figures): Promise<string> {
  const networks = await bundledNetworks();
  const radii = new Set(Object.values(figures).flatMap((one) => one.figures.map(({ epsilon }) => epsilon)));
  if (radii.size > 1) throw new UserError('the figures of the bundled networks are of several radii');
  const [epsilon = 0.3] = radii;
  return `${[
    '# Bundled networks',
    INTRODUCTION,
    markdownTable(
      ['network', 'parameters', 'clean', ...COLUMNS.map((attack) => `${TITLES[attack]} at ${radius(epsilon)}`)],
      networks.map((network) => rowOf(network, figuresOf(network, figures))),
    ),
    measured(networks, figures),
    'Made by',
    markdownTable(
      ['network', 'command', 'seed', 'time'],
      networks.map(({ name, command, seed, seconds }) => [
        `\`${name}\``,
        `\`${command}\``,
        String(seed),
        seconds === undefined ? '' : duration(seconds),
      ]),
    ),
    RECIPE,
  ].join('\n\n')}\n`;
}

const INTRODUCTION = `<!-- Made from the files and from figures.json, see docs/zoo.ts -->

Small trained networks, so that the first run works offline. Each \`.safetensors\` file holds its weights under PyTorch's names
and in PyTorch's layout, and in its metadata the architecture, the normalisation, the seed and the command that made it;
the \`.jsonl\` beside it is the training's history, a line per epoch.`;

function rowOf({ name, parameters }: Bundled, figures: readonly Figure[]): string[] {
  // On the most images that any attack was measured on.
  const [clean] = figures.toSorted((a, b) => b.images - a.images);
  return [
    `\`${name}\``,
    whole(parameters),
    clean === undefined ? '' : share(clean.cleanCorrect, clean.images),
    ...COLUMNS.map((attack) => {
      const found = figures.find((one) => one.attack === attack);
      if (found === undefined) return '';
      const [low, high] = wilson95(found.robustCorrect, found.images).map((end) => (100 * end).toFixed(1));
      return `${share(found.robustCorrect, found.images)} (${low}–${high})`;
    }),
  ];
}

const share = (correct: number, images: number): string => `${((100 * correct) / images).toFixed(2)} %`;

/** How many images, by which commands. */
function measured(networks: readonly Bundled[], figures: Figures): string {
  const all = networks.flatMap((network) => figuresOf(network, figures));
  const sizes = COLUMNS.flatMap((attack) => {
    const images = all.find((one) => one.attack === attack)?.images;
    return images === undefined ? [] : [`${TITLES[attack]} on ${counted(images, 'test image')}`];
  });
  const commands = [...new Set(all.map(({ command }) => command))];
  return `Measured in L∞: ${sizes.join(', ')}; PGD with one random start and steps of .01, where any iterate counts. In brackets
the Wilson interval at 95 %. An empty box has not been measured. \`npm run zoo\` trains what is missing, measures what has not
been measured, and writes this page; the commands of the figures stand in \`figures.json\`${
    commands.length === 0
      ? ''
      : `, such as

\`\`\`sh
${commands.slice(0, 2).join('\n')}
\`\`\``
  }`;
}

const RECIPE = `with all other flags at their defaults: the small forms of \`src/models/\`, SGD at .1 with momentum .9, weight decay 5·10⁻⁴,
warm-up and linear decay, batches of 128, four epochs (the adversarial AlexNet learns nothing in its first). Times are those of a machine of two cores that did other work besides.`;
