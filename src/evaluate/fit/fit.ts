/**
 * The fit of an attack: its passes over the images that it learns from, one batch after the other. What comes of it depends
 * on the seed, the images, their order and the attack's own batch, and not on how many slots the harness has.
 */
import type { Goal } from '../../core/threat-model.ts';
import type { SelectedImage } from '../images.ts';
import { stopIfAborted } from '../plan.ts';
import type { Arrays, Items } from '../pool/engine.ts';
import { NoiseBuffers } from '../pool/noise.ts';
import type { FitRehearsal } from '../rehearse/rehearse-fit.ts';
import type { FitEngine } from './fit-engine.ts';
import type { FitImages } from './fit-images.ts';

/** What was fitted, and what it took. */
export interface FitResult {
  readonly fitted: Arrays;
  /** Per-image evaluations. */
  readonly gradients: number;
  readonly forwards: number;
}

/** What an attack does with what is fitted so far. */
export interface TryOut {
  /** Share of the images. */
  readonly fooled: number;
  readonly gradients: number;
  readonly forwards: number;
}

export interface FitSpec {
  readonly engine: FitEngine;
  readonly rehearsal: FitRehearsal;
  readonly goal: Goal;
  readonly seed: number;
  /** In pixel units. */
  readonly epsilon: number;
  /** What it learns from, at least one. */
  readonly images: FitImages;
  /** Lets the attack loose on these images. */
  readonly tryOut: (fitted: Arrays) => Promise<TryOut>;
  readonly signal?: AbortSignal | undefined;
  /** Told after every batch how many images have come, over all passes. */
  readonly onImages?: (done: number) => void;
}

/** @throws Interrupted after the step at hand, if the signal is aborted */
export async function runFit(spec: FitSpec): Promise<FitResult> {
  const { rehearsal, epsilon, tryOut } = spec;
  const run = new Run(spec);
  // A ball of one point leaves nothing to learn.
  const passes = epsilon === 0 ? 0 : rehearsal.passes;
  await run.begin();
  for (let pass = 0; pass < passes; pass++) {
    await run.pass();
    if (rehearsal.enough === undefined || pass === passes - 1) continue;
    const { fooled, gradients, forwards } = await tryOut(run.fitted);
    run.gradients += gradients;
    run.forwards += forwards;
    if (fooled >= rehearsal.enough) break;
  }
  return { fitted: run.fitted, gradients: run.gradients, forwards: run.forwards };
}

/** A fit on its way. */
class Run {
  fitted: Arrays = {};
  gradients = 0;
  forwards = 0;
  readonly #spec: FitSpec;
  #passes = 0;
  #steps = 0;

  constructor(spec: FitSpec) {
    this.#spec = spec;
  }

  async begin(): Promise<void> {
    const { rehearsal, engine } = this.#spec;
    for await (const batch of batches(this.#spec.images.stream(), rehearsal.batch)) {
      this.fitted = await engine.init(this.#itemsOf(batch), this.#noise(rehearsal.init.noise, batch));
      this.#count(rehearsal.init, batch);
      return;
    }
  }

  async pass(): Promise<void> {
    const { rehearsal, images, onImages } = this.#spec;
    let seen = 0;
    for await (const batch of batches(images.stream(), rehearsal.batch)) {
      await this.#learn(batch);
      seen = Math.min(seen + batch.length, images.size);
      onImages?.(this.#passes * images.size + seen);
    }
    this.#passes += 1;
  }

  async #learn(batch: readonly SelectedImage[]): Promise<void> {
    const { rehearsal, engine, signal } = this.#spec;
    const items = this.#itemsOf(batch);
    for (let step = 0; step < rehearsal.steps; step++) {
      // ONNX Runtime holds the event loop while it runs: let signals and timers in.
      await new Promise(setImmediate);
      stopIfAborted(signal);
      this.#steps += 1;
      items.iteration.fill(step);
      this.fitted = await engine.step(this.fitted, items, this.#noise(rehearsal.step.noise, batch));
      this.#count(rehearsal.step, batch);
      if (this.fitted.isFinished?.[0] === 1) return;
    }
  }

  #count({ gradients, forwards }: FitRehearsal['step'], batch: readonly SelectedImage[]): void {
    this.gradients += gradients * batch.length;
    this.forwards += forwards * batch.length;
  }

  #itemsOf(batch: readonly SelectedImage[]): Items {
    const { goal, epsilon } = this.#spec;
    const size = batch[0]?.pixels.length ?? 0;
    const clean = new Float32Array(batch.length * size);
    batch.forEach(({ pixels }, row) => {
      clean.set(pixels, row * size);
    });
    const label = Int32Array.from(batch, (image) => image.label);
    return {
      clean,
      label,
      target: goal.kind === 'targeted' ? label.map(() => goal.target) : label,
      epsilon: new Float32Array(batch.length).fill(epsilon),
      iteration: new Float32Array(batch.length),
    };
  }

  #noise(requests: FitRehearsal['step']['noise'], batch: readonly SelectedImage[]): Arrays {
    const noise = new NoiseBuffers(requests, batch.length);
    batch.forEach(({ hash }, row) => {
      noise.fill(row, { seed: this.#spec.seed, image: hash, restart: 0, step: this.#steps });
    });
    return noise.arrays;
  }
}

/** The images in batches of one size: the last one is filled up with the first images, again and again if need be. */
async function* batches(images: AsyncIterable<SelectedImage>, size: number): AsyncGenerator<SelectedImage[]> {
  const first: SelectedImage[] = [];
  let batch: SelectedImage[] = [];
  for await (const image of images) {
    if (first.length < size) first.push(image);
    batch.push(image);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length === 0) return;
  const missing = size - batch.length;
  yield [...batch, ...Array.from({ length: missing }, (_, i) => first[i % first.length] as SelectedImage)];
}
