/**
 * Probes: small attacks, on a few images, whose only purpose is to find out whether the numbers of a run can be believed. What
 * they find goes to the sanity panel and into no accuracy.
 *
 * Carlini, Athalye, Papernot et al., "On Evaluating Adversarial Robustness", 2019; Athalye, Carlini, Wagner, "Obfuscated
 * Gradients Give a False Sense of Security", ICML 2018, section 3.1; Pintor et al., "Indicators of Attack Failure", NeurIPS
 * 2022.
 */
import type { Prepare } from '../../compile/types.ts';
import { elements } from '../../core/draws.ts';
import { crossEntropy } from '../../core/losses.ts';
import type { Check } from '../../core/run.ts';
import { tf } from '../../tf.ts';
import type { SelectedImage } from '../images.ts';
import {
  attackedOf,
  type Contender,
  contenderName,
  type ExperimentPlan,
  isStandIn,
  type PlannedStage,
  stopIfAborted,
} from '../plan.ts';
import { type Judge, prepareAttack } from '../pool/engine.ts';
import type { Assignment } from '../pool/lanes.ts';
import { type Outcome, runPool } from '../pool/pool.ts';
import { judgeAll } from '../pool/verify.ts';
import { rehearse } from '../rehearse/rehearse.ts';
import { always, atMost } from './checks.ts';
import { saturates } from './saturation.ts';

/** A small attack of the sanity panel. */
export interface Probe {
  /** What must hold, as the panel calls it. */
  readonly name: string;
  /** Why it says something about the run. */
  readonly why: string;
  readonly link: string;
  readonly planned: PlannedStage;
  /** Whom it attacks: images that withstood all attacks at the radius that the report speaks of, or any, in a ball that holds grey. */
  readonly on: 'survivors' | 'any';
}

/** What the probes are given of a contender. */
export interface ProbeSpec {
  readonly plan: ExperimentPlan;
  readonly prepare: Prepare;
  readonly contender: Contender;
  readonly judge: Judge;
  /** Images that are attacked, in the run's order. */
  readonly images: readonly SelectedImage[];
  /** Those of them that withstood all attacks of the run at `epsilon`. */
  readonly survivors: readonly SelectedImage[];
  readonly epsilon: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProbe: (done: number, total: number) => void;
}

/** What was found on one contender, by the name of the check. */
export type Findings = Readonly<Record<string, { readonly value: number; readonly images: number }>>;

const REPEATS = 'the same image gets the same answer';
const GRADIENTS = 'gradients say something';
const SATURATION = 'plain cross-entropy does not saturate';

/** How many more than expected may be luck: one image. */
const LUCK = 1.5;
/** Beyond one image of the sample: the share that AutoAttack's authors take for a sign of masked gradients. */
const GAIN = 0.002;
/** Share of images without a gradient that attacks can do without. */
const SILENT = 0.05;
/**
 * Share of images whose textbook cross-entropy saturates, up to which a network is like any that is well trained: those
 * bundled have none, AlexNet 13 %. Beyond it, attacks made of that loss meet a maimed gradient on most images.
 */
const SATURATED = 0.5;

/** @throws Interrupted if the signal is aborted */
export async function probe(spec: ProbeSpec): Promise<Findings> {
  const { plan, images, survivors, signal, onProbe } = spec;
  const probes = plan.sanity?.probes ?? [];
  const total = probes.length + 3;
  const findings: Record<string, { value: number; images: number }> = {};
  const note = (name: string, value: number, count: number): void => {
    findings[name] = { value, images: count };
    onProbe(Object.keys(findings).length, total);
  };
  if (images.length === 0) return findings;
  const answers = await answersOf(spec);
  note(REPEATS, unrest(answers, await answersOf(spec)), images.length);
  note(SATURATION, saturation(answers, images), images.length);
  note(GRADIENTS, await silence(spec), images.length);
  for (const one of probes) {
    stopIfAborted(signal);
    const chosen = one.on === 'any' ? images : survivors;
    if (chosen.length === 0) continue;
    const broken = (await attackWith(spec, one, chosen)).filter(({ robust }) => !robust).length;
    note(one.name, (one.on === 'any' ? chosen.length - broken : broken) / chosen.length, chosen.length);
  }
  return findings;
}

/** The logits of every image. */
const answersOf = ({ judge, images }: ProbeSpec): Promise<Float32Array[]> =>
  judgeAll(
    judge,
    images.map((image) => image.pixels),
  );

/** The largest difference between two answers to the same images; one that is no number differs as much as can be. */
export function unrest(once: readonly Float32Array[], again: readonly Float32Array[]): number {
  const between = (z: number, other: number): number => {
    if (Object.is(z, other)) return 0;
    const difference = Math.abs(z - other);
    return Number.isFinite(difference) ? difference : Number.MAX_VALUE;
  };
  return once.reduce(
    (most, logits, i) => logits.reduce((most, z, k) => Math.max(most, between(z, again[i]?.[k] as number)), most),
    0,
  );
}

/** The share of images at which the textbook cross-entropy loses its gradient towards the true class. */
const saturation = (answers: readonly Float32Array[], images: readonly SelectedImage[]): number =>
  answers.filter((logits, i) => saturates(logits, images[i]?.label as number)).length / images.length;

/** The share of images at which the gradient of the cross-entropy is zero everywhere, or no number. */
async function silence({ prepare, contender, plan, images }: ProbeSpec): Promise<number> {
  const classifier = attackedOf(contender);
  const run = await prepare(
    (x: tf.Tensor, y: tf.Tensor) => {
      const loss = (at: tf.Tensor) => crossEntropy(classifier.logits(at as tf.Tensor4D), y as tf.Tensor1D).sum();
      return tf.grad(loss)(x).abs().max([1, 2, 3]);
    },
    [{ shape: [plan.batch, ...classifier.input] }, { shape: [plan.batch], dtype: 'int32' }] as const,
    { weights: 'frozen', name: `gradient of ${classifier.name}` },
  );
  try {
    let silent = 0;
    for (let start = 0; start < images.length; start += plan.batch) {
      const part = images.slice(start, start + plan.batch);
      const x = new Float32Array(plan.batch * elements(classifier.input));
      const y = new Int32Array(plan.batch);
      part.forEach(({ pixels, label }, row) => {
        x.set(pixels, row * pixels.length);
        y[row] = label;
      });
      const sizes = (await run(x, y)).data as Float32Array;
      silent += part.filter((_, row) => !(Number.isFinite(sizes[row]) && (sizes[row] as number) > 0)).length;
    }
    return silent / images.length;
  } finally {
    await run.release();
  }
}

async function attackWith(
  { plan, prepare, contender, judge, epsilon, signal }: ProbeSpec,
  { planned, on }: Probe,
  images: readonly SelectedImage[],
): Promise<Outcome[]> {
  const { norm, goal, seed } = plan;
  const batch = Math.min(plan.batch, images.length);
  const classifier = attackedOf(contender);
  const pixels = elements(classifier.input);
  const targeted = goal.kind === 'targeted';
  const rehearsal = await rehearse({ ...planned, classifier, norm, targeted });
  const engine = await prepareAttack(prepare, { ...planned, classifier, norm, batch, rehearsal, targeted });
  const outcomes: Outcome[] = [];
  const work = async function* (): AsyncGenerator<Assignment> {
    for (const image of images) yield { image, radii: [0] };
  };
  try {
    await runPool({
      ...{ engine, rehearsal, judge, norm, goal, seed, signal, work: work() },
      isStandIn: isStandIn(contender),
      ...{ epsilons: [on === 'any' ? greyRadius(norm, pixels) : epsilon], restarts: 1, input: classifier.input },
      onSettled: async (settled) => {
        outcomes.push(...settled);
      },
    });
  } finally {
    await engine.release();
  }
  return outcomes;
}

/**
 * A radius within which every image can become uniformly grey, of which a network can tell no more than chance; of `spatial`,
 * which leads no image there, a turn by half a circle.
 */
const greyRadius = (norm: ExperimentPlan['norm'], pixels: number): number =>
  ({ Linf: 0.5, L2: Math.sqrt(pixels) / 2, L1: pixels / 2, spatial: 6 })[norm];

/** The panel's checks, from what was found on every contender. */
export function probeChecks(plan: ExperimentPlan, found: ReadonlyMap<Contender, Findings>): Check[] {
  const classes = plan.dataset.classes.length;
  const of = (name: string) =>
    [...found].flatMap(([contender, findings]) => {
      const finding = findings[name];
      return finding === undefined ? [] : [{ ...finding, at: `${contenderName(contender)}, ${finding.images} images` }];
    });
  return [
    atMost(always(0), of(REPEATS), {
      name: REPEATS,
      why: 'A network that answers differently every time must be attacked through the average of many answers; a single one misleads the gradient.',
      link: 'https://arxiv.org/abs/1802.00420',
      otherwise: 'fail',
    }),
    atMost(always(SILENT), of(GRADIENTS), {
      name: GRADIENTS,
      why: 'Where the gradient is zero or no number, an attack that follows it stands still, and accuracy under it means nothing.',
      link: 'https://arxiv.org/abs/1802.00420',
      otherwise: 'fail',
    }),
    atMost(always(SATURATED), of(SATURATION), {
      name: SATURATION,
      why: 'The share of images of which the network is so sure that p rounds to 1 in float32 and the textbook gradient p − 1 of the true class to 0. The loss of this program has no such limit, and its numbers are sound; those of tools that attack plain cross-entropy, above all on clipped probabilities, would make such a network look robust: trust margins and the DLR loss instead.',
      link: 'https://arxiv.org/abs/1607.04311',
      otherwise: 'warn',
    }),
    ...(plan.sanity?.probes ?? []).map(({ name, why, link, on }) =>
      atMost((images) => (on === 'any' ? 1 / classes + LUCK / images : Math.max(GAIN, LUCK / images)), of(name), {
        name,
        why,
        link,
        otherwise: 'warn',
      }),
    ),
  ];
}
