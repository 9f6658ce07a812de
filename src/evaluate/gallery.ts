/** The pictures of a run: x + ε·δ = x′ for the first attacked images, failures included. */
import type { GalleryItem } from '../core/run.ts';
import type { Goal, Threat } from '../core/threat-model.ts';
import type { SelectedImage } from './images.ts';
import type { Contender, ExperimentPlan } from './plan.ts';
import { encodePng } from './png.ts';
import type { Judge } from './pool/engine.ts';
import type { Outcome } from './pool/pool.ts';
import { judgeAll, logitsReach, roundTo8Bits } from './pool/verify.ts';

/** Rows of a top-5 list. */
const TOP = 5;

/** The radius that the gallery shows, as an index: the stated one, or the upper median of the positive radii. */
export function galleryRadius({
  epsilons,
  galleryEpsilon,
}: Pick<ExperimentPlan, 'epsilons' | 'galleryEpsilon'>): number {
  if (galleryEpsilon !== undefined) return epsilons.indexOf(galleryEpsilon);
  const positive = epsilons.filter((epsilon) => epsilon > 0).toSorted((a, b) => a - b);
  return Math.max(0, epsilons.indexOf(positive[Math.floor(positive.length / 2)] ?? 0));
}

/** How the pictures were chosen, in words. */
export const galleryRule = (rows: number): string =>
  rows === 0
    ? 'no pictures were asked for'
    : `for each network and attack, the first ${rows} images in the run's order that were attacked (those it classifies ` +
      'correctly), at one radius, whether the attack succeeded or not';

/** An attacked image and where the attack left it. */
export interface Exhibit {
  readonly image: SelectedImage;
  readonly candidate: Float32Array;
  readonly fooled: boolean;
}

/** Chooses the images to show, and keeps them and where they ended until they are drawn. */
export class Showcase {
  readonly #exhibits = new Map<number, Exhibit>();
  readonly #images: ReadonlySet<number>;
  readonly #radius: number;
  readonly #held = new Map<number, SelectedImage>();

  /** @param attacked - indices of the attacked images, in the run's order; none if no picture is to be drawn */
  constructor(attacked: readonly number[], rows: number, radius: number) {
    this.#images = new Set(attacked.slice(0, rows));
    this.#radius = radius;
  }

  wants(image: number, radius: number): boolean {
    return radius === this.#radius && this.#images.has(image);
  }

  hold(image: SelectedImage): void {
    if (this.#images.has(image.index)) this.#held.set(image.index, image);
  }

  get exhibits(): readonly Exhibit[] {
    return [...this.#exhibits.values()];
  }

  take({ image: index, radius, made, robust }: Outcome): void {
    const image = this.#held.get(index);
    // Of several stages, the last that met the image has the last word.
    if (image !== undefined && this.wants(index, radius))
      this.#exhibits.set(index, { image, candidate: made.x, fooled: !robust });
  }
}

export interface GallerySpec {
  readonly contender: Contender;
  readonly attack: string;
  readonly norm: Threat;
  readonly epsilon: number;
  readonly goal: Goal;
  readonly classes: readonly string[];
  readonly judge: Judge;
}

/** The exhibits as items of `run.json`, in the order of the images. */
export async function drawGallery(exhibits: readonly Exhibit[], spec: GallerySpec): Promise<GalleryItem[]> {
  const ordered = exhibits.toSorted((a, b) => a.image.index - b.image.index);
  const images = ordered.flatMap(({ image, candidate }) => [image.pixels, candidate, roundTo8Bits(candidate)]);
  const logits = await judgeAll(spec.judge, images);
  return Promise.all(
    ordered.map((exhibit, i) => drawItem(exhibit, logits.slice(3 * i, 3 * i + 3) as [Logits, Logits, Logits], spec)),
  );
}

type Logits = Float32Array;

async function drawItem(
  { image, candidate, fooled }: Exhibit,
  [clean, adversarial, rounded]: [Logits, Logits, Logits],
  { contender, attack, norm, epsilon, goal, classes }: GallerySpec,
): Promise<GalleryItem> {
  const { input } = contender.classifier;
  const { scale, picture } = stretch(candidate, image.pixels);
  const [cleanPng, adversarialPng, perturbationPng] = await Promise.all(
    [image.pixels, candidate, picture].map(async (pixels) => (await encodePng(pixels, input)).toString('base64')),
  );
  return {
    arch: contender.architecture.name,
    training: contender.training,
    attack,
    norm,
    epsilon,
    id: image.id,
    label: { label: image.label, name: classes[image.label] ?? String(image.label) },
    fooled,
    fooled8bit: logitsReach(goal, image.label, rounded),
    width: input[1],
    height: input[0],
    cleanPng: cleanPng ?? '',
    adversarialPng: adversarialPng ?? '',
    perturbationPng: perturbationPng ?? '',
    perturbationScale: scale,
    cleanTop: topClasses(clean, classes),
    adversarialTop: topClasses(adversarial, classes),
  };
}

/** The perturbation around middle grey, multiplied so that its largest entry is black or white. */
export function stretch(candidate: Float32Array, clean: Float32Array): { scale: number; picture: Float32Array } {
  const delta = candidate.map((value, i) => value - (clean[i] as number));
  const largest = delta.reduce((most, d) => Math.max(most, Math.abs(d)), 0);
  const scale = largest > 0 && Number.isFinite(largest) ? 0.5 / largest : 1;
  return { scale, picture: delta.map((d) => 0.5 + d * scale) };
}

/** The likeliest classes with their softmax confidences, likeliest first; ties in the order of the classes. */
export function topClasses(logits: Logits, classes: readonly string[]): GalleryItem['cleanTop'] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = Array.from(logits, (logit) => Math.exp(logit - largest));
  const total = weights.reduce((a, b) => a + b, 0);
  // Logits that are no numbers, of a broken candidate, give no confidence to any class.
  if (!(total > 0 && Number.isFinite(total))) return [];
  return weights
    .map((weight, label) => ({ label, name: classes[label] ?? String(label), confidence: weight / total }))
    .sort((a, b) => (logits[b.label] as number) - (logits[a.label] as number))
    .slice(0, TOP);
}
