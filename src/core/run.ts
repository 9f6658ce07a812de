/**
 * `run.json`, schema `gibbon.run/1`: the immutable result of a run. HTML, CSV and the terminal's table are views of it.
 * Accuracies and confidences are shares, 0 to 1; epsilon is in pixel units, images being in [0,1].
 */
import { z } from 'zod';
import { ACCESS } from './attack.ts';
import { UserError } from './errors.ts';
import { joinedFrom } from './joined.ts';
import { savedImages } from './saved.ts';
import { isRadius, NORMS, RADIUS, THREATS, type Threat } from './threat-model.ts';
import { trainingRecord } from './training-record.ts';

export const RUN_SCHEMA = 'gibbon.run/1';

/** The journal's name, beside run.json: from it an interrupted run goes on. */
export const JOURNAL = 'journal.ndjson';

const share = z.number().min(0).max(1);
const count = z.number().int().min(0);
const interval = z.tuple([share, share]);
const json: z.ZodType<unknown> = z.unknown();

/** The threat model of a row. */
const radius = { norm: z.enum(THREATS), epsilon: z.number().min(0) };
const radiusFits = ({ norm, epsilon }: { norm: Threat; epsilon: number }): boolean => isRadius(norm, epsilon);
const radiusRule = { path: ['epsilon'], error: RADIUS };

const goal = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('untargeted') }),
  z.object({ kind: z.literal('targeted'), target: count }),
]);

/** One measured box of the grid: architecture × training × attack × norm × epsilon. */
const cell = z.object({
  arch: z.string(),
  training: z.string(),
  dataset: z.string(),
  attack: z.string(),
  params: z.record(z.string(), json),
  ...radius,
  goal,
  restarts: count,
  images: count.min(1),
  /** Images classified correctly before the attack, and after it, as counts: exact where shares are rounded. */
  cleanCorrect: count,
  robustCorrect: count,
  robustCorrect8bit: count,
  cleanAccuracy: share,
  robustAccuracy: share,
  /**
   * Robust accuracy when every adversarial image is first rounded to 8 bits a channel, as a PNG would: each pixel to its
   * nearest level. The network is asked again, the ball is not: the rounded image may lie outside by half a level a pixel.
   */
  robustAccuracy8bit: share,
  /** Wilson score interval of `robustAccuracy` at 95 %. */
  wilson95: interval,
  cleanWilson95: interval,
  /** Per-image gradient evaluations and forward passes spent by the attack, summed over the images. */
  gradients: count,
  forwards: count,
  /** Claims of the attack that the separate verification pass did not confirm, and candidates whose logits are no numbers. */
  unverified: count,
  seconds: z.number().min(0),
});

/**
 * Worst case over the run's attacks: an image counts as robust only if it withstood every one of them. So this is the mean
 * over images of the minimum over attacks, never above the lowest cell.
 */
const worstCase = z.object({
  arch: z.string(),
  training: z.string(),
  ...radius,
  /** The attacks taken together, by name; baselines that aim at nothing (access `none`) count too. */
  attacks: z.array(z.string()).min(1),
  images: count.min(1),
  robustCorrect: count,
  robustCorrect8bit: count,
  robustAccuracy: share,
  robustAccuracy8bit: share,
  /** Wilson score interval of `robustAccuracy` at 95 %. */
  wilson95: interval,
});

/** What an attack of minimum norm found on a network: how far from every image the nearest adversarial one is. */
const distances = z.object({
  arch: z.string(),
  training: z.string(),
  attack: z.string(),
  norm: z.enum(NORMS),
  /** Median over the images; null where none was found for half of them or more. */
  median: z.number().min(0).nullable(),
  /** Image by image, in the run's order: 0 where it is misclassified as it is, null where none was found. */
  values: z.array(z.number().min(0).nullable()).min(1),
});

/** What randomized smoothing certifies of a network at one level of noise: a lower bound, whatever the attack. */
const certificates = z.object({
  arch: z.string(),
  training: z.string(),
  /** Standard deviation of the Gaussian noise, in pixel units. */
  sigma: z.number().positive(),
  /** Noisy copies of every image by which its class is chosen, and by which its probability is bounded: n₀ and n. */
  selectionSamples: count.min(1),
  samples: count.min(1),
  /** The probability with which the radius of an image may be too large. */
  alpha: z.number().gt(0).lt(1),
  images: count.min(1),
  /** Images of which nothing is said: no class was likely enough. */
  abstained: count,
  /** Certified radius in L2, averaged over the images; 0 where the class is wrong or there is none. */
  averageRadius: z.number().min(0),
  /** Images that are certified at a radius, and with the right class: by ascending radius in pixel units, from 0. */
  accuracies: z
    .array(
      z.object({
        radius: z.number().min(0),
        correct: count,
        accuracy: share,
        /** Wilson score interval of `accuracy` at 95 %: the images are a sample too. */
        wilson95: interval,
      }),
    )
    .min(1),
  /** Image by image, in the run's order. */
  values: z
    .array(
      z.object({
        label: count,
        /** The class that was chosen, and how many of the copies were taken for it. */
        selected: count,
        votes: count,
        /** The certified radius; null where it abstains. */
        radius: z.number().min(0).nullable(),
      }),
    )
    .min(1),
  /** Forward passes of single images. */
  forwards: count,
  seconds: z.number().min(0),
});

const network = z.object({ arch: z.string(), training: z.string() });

/**
 * What an attack made against one network of the run, tried on another; on the same one, for comparison, too. The images are
 * those that both classify correctly without attack. Pairs that have none are left out.
 */
const transfer = z.object({
  source: network,
  target: network,
  attack: z.string(),
  ...radius,
  images: count.min(1),
  /** How many of them fool the target. */
  fooled: count,
  /** How many fool the target when they are made against itself by the same attack at the same radius. */
  whiteBoxFooled: count,
  /** Share of the images that do not fool the target. */
  accuracy: share,
  /** Wilson score interval of `accuracy` at 95 %. */
  wilson95: interval,
});

/**
 * What a defense seems to be worth to a naive adversary, who makes images against the network without it, and what it is worth
 * to an adaptive one, who looks at the defended network: the cell of the same network, attack and radius says that too.
 */
const defendedCell = z.object({
  arch: z.string(),
  /** Of the defended network: `standard+jpeg`. */
  training: z.string(),
  defense: z.string(),
  /** The training of the same network without the defense. */
  undefended: z.string(),
  attack: z.string(),
  ...radius,
  images: count.min(1),
  /** Images that the defended network classifies correctly without attack; under a naive one too; under an adaptive one. */
  cleanCorrect: count,
  naiveCorrect: count,
  adaptiveCorrect: count,
  naiveAccuracy: share,
  adaptiveAccuracy: share,
  /** Wilson score intervals at 95 %. */
  naiveWilson95: interval,
  adaptiveWilson95: interval,
});

const confidence = z.object({ label: count, name: z.string(), confidence: share });

/** One image of the gallery: x + ε·δ = x′, chosen by the run's stated rule. Pictures are PNG, base64. */
export const galleryItem = z.object({
  arch: z.string(),
  training: z.string(),
  attack: z.string(),
  ...radius,
  id: z.string(),
  label: confidence.pick({ label: true, name: true }),
  fooled: z.boolean(),
  fooled8bit: z.boolean(),
  width: count,
  height: count,
  cleanPng: z.base64(),
  adversarialPng: z.base64(),
  /** The perturbation stretched so that its largest entry is black or white; grey is zero. */
  perturbationPng: z.base64(),
  /** By how much the perturbation was multiplied to make it visible. */
  perturbationScale: z.number().positive(),
  cleanTop: z.array(confidence),
  adversarialTop: z.array(confidence),
});

/** One check of the sanity panel. */
const check = z.object({
  name: z.string(),
  verdict: z.enum(['pass', 'warn', 'fail', 'not-run']),
  value: z.number().nullable(),
  threshold: z.number().nullable(),
  why: z.string(),
  link: z.url({ protocol: /^https$/ }).optional(),
});

const architecture = z.object({
  name: z.string(),
  title: z.string(),
  paper: z.url({ protocol: /^https$/ }).optional(),
  year: z.number().int().optional(),
  idea: z.string(),
  /** Which form of the architecture was attacked, and the share of its channels that it has. */
  form: z.object({ variant: z.string(), width: z.number().positive() }).optional(),
  /** Of the network that was attacked, as are its multiply-adds: those of one forward pass of one image. */
  parameters: count,
  multiplyAdds: count.optional(),
  /** Accuracy on ImageNet of the paper's full-size form, which need not be the network that was attacked. */
  published: z.object({ top1: share, top5: share.optional(), source: z.string() }).optional(),
});

const rate = z.number().min(0);

/** How fast a contender was, and what it took; what was not measured is absent. Timing decides nothing else in the run. */
const performance = z.object({
  /** `vgg16/standard` */
  contender: z.string(),
  /** Images a second of the clean pass, reading them included. */
  forwardPerSecond: rate.optional(),
  /** Gradients of single images a second, over the attacks that ask for any, verification included. */
  gradientsPerSecond: rate.optional(),
  /** The most bytes that the process was seen to hold in memory while this contender was measured. */
  peakMemory: count.optional(),
});

const attack = z.object({
  name: z.string(),
  title: z.string(),
  paper: z.url({ protocol: /^https$/ }).optional(),
  access: z.enum(ACCESS),
  /** Of an ensemble: the attacks it is made of, in order, and how many random starts of each count for one of it, if not 1. */
  stages: z
    .array(z.object({ attack: z.string(), params: z.record(z.string(), json), restarts: count.min(1).optional() }))
    .optional(),
});

const defense = z.object({
  name: z.string(),
  title: z.string(),
  paper: z.url({ protocol: /^https$/ }).optional(),
  params: z.record(z.string(), json),
  /** What the adaptive adversary follows, in words. */
  adversary: z.string(),
});

/** A file that gave no image, and why. */
export const skippedFile = z.object({ id: z.string(), why: z.string() });

const provenance = z.object({
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  gibbon: z.string(),
  node: z.string(),
  packages: z.record(z.string(), z.string()),
  commit: z.string().nullable(),
  platform: z.string(),
  cpu: z.string(),
  cores: count,
  backend: z.string(),
  seed: count,
  dataset: z.object({
    name: z.string(),
    split: z.string(),
    images: count,
    sha256: z.string(),
    /** Which of the split's images were attacked, in words. */
    selection: z.string().optional(),
    /** Where labels come from: `true labels`, or each network's own clean predictions. */
    labels: z.string(),
    /** Files that gave no image and are not among those measured, and why. */
    skipped: z.array(skippedFile).optional(),
  }),
  /** SHA-256 of the weights of every classifier: `vgg16/standard`. */
  weights: z.record(z.string(), z.string()),
  /** Wall-clock seconds by phase. */
  phases: z.record(z.string(), z.number().min(0)),
  /** Which iterates count as a success, and how the gallery was chosen, in words. */
  iteratePolicy: z.string(),
  galleryRule: z.string(),
  /** What attacks were fitted on that add the same to every image, in words. */
  fitRule: z.string().optional(),
  /** Which images are tried on other networks, in words. */
  transferRule: z.string().optional(),
  /** How naive and adaptive adversaries are compared, in words. */
  naiveRule: z.string().optional(),
});

const runFields = z.object({
  schema: z.literal(RUN_SCHEMA),
  id: z.string(),
  command: z.string(),
  config: z.record(z.string(), json),
  provenance,
  architectures: z.array(architecture),
  attacks: z.array(attack),
  classes: z.array(z.string()),
  /** At least one, unless the run certifies instead of attacking. */
  cells: z.array(cell.refine(radiusFits, radiusRule)),
  /** One per arch, training, norm and epsilon, in the order of the cells. */
  worstCases: z.array(worstCase.refine(radiusFits, radiusRule)).optional(),
  /** One per network and attack of minimum norm. */
  distances: z.array(distances).optional(),
  /** One per network and level of noise. */
  certificates: z.array(certificates).min(1).optional(),
  /** For every attack that looks at a network: source by source, all targets. */
  transfer: z.array(transfer.refine(radiusFits, radiusRule)).optional(),
  /** What networks of the run stand behind. */
  defenses: z.array(defense).optional(),
  /** For every defended network, attack that looks at one, and radius. */
  defended: z.array(defendedCell.refine(radiusFits, radiusRule)).optional(),
  checks: z.array(check),
  gallery: z.array(galleryItem.refine(radiusFits, radiusRule)),
  /** One per contender. */
  performance: z.array(performance).optional(),
  /** How the networks were trained, as far as their checkpoints tell. */
  trainings: z.array(network.extend({ record: trainingRecord })).optional(),
  /** Where adversarial images were saved, if that was asked for: one per network, attack and radius that has any. */
  saved: z.array(savedImages.refine(radiusFits, radiusRule)).optional(),
  /** Of a run that was joined from others: what is kept of each. */
  sources: joinedFrom(provenance).optional(),
});

/** The schema of `run.json`. */
export const runSchema = runFields.refine(({ cells, certificates }) => cells.length > 0 || certificates !== undefined, {
  path: ['cells'],
  error: 'a run has cells, or certificates',
});

/** What was run, on what, and all that came out. */
export type Run = z.infer<typeof runSchema>;
/** One measured box of the grid. */
export type Cell = z.infer<typeof cell>;
export type Distances = z.infer<typeof distances>;
/** What randomized smoothing certifies of a network at one level of noise. */
export type Certificates = z.infer<typeof certificates>;
export type WorstCase = z.infer<typeof worstCase>;
/** What an attack made against one network of the run, tried on another. */
export type Transfer = z.infer<typeof transfer>;
/** A defended network under a naive and an adaptive adversary. */
export type DefendedCell = z.infer<typeof defendedCell>;
export type GalleryItem = z.infer<typeof galleryItem>;
export type Check = z.infer<typeof check>;
export type Performance = z.infer<typeof performance>;
/** How one network of the run was trained. */
export type Training = NonNullable<Run['trainings']>[number];

/**
 * A run from parsed JSON.
 *
 * @param source - where it came from, for the error
 * @throws UserError naming the path of the first wrong field
 */
export function parseRun(value: unknown, source: string): Run {
  const result = runSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue === undefined || issue.path.length === 0 ? 'the file' : issue.path.map(String).join('.');
  throw new UserError(`${source} is not a ${RUN_SCHEMA} file: ${path}: ${issue?.message ?? 'invalid'}`);
}
