/** How fast a network is here: one compiled batch of its forward pass, and one of its gradient, timed for a moment. */
import type { Executable, Prepare, TensorSpec } from '../../compile/types.ts';
import type { Classifier } from '../../core/classifier.ts';
import { attackedOf, type Contender } from '../../evaluate/plan.ts';
import type { tf } from '../../tf.ts';
import { attackStep, benchLabels, benchPixels, forwardStep, type Step } from '../bench/steps.ts';

/** Seconds. */
export interface Speed {
  /** One image through the network, and one gradient towards it. */
  readonly forward: number;
  readonly gradient: number;
  /** To compile either. */
  readonly compileForward: number;
  readonly compileGradient: number;
}

/** Long enough for a small network to settle, and over after one call of a large one. */
const TIMED_SECONDS = 0.5;

/** @param batch - how many images a run has in flight */
export async function speedOf(contender: Contender, prepare: Prepare, batch: number): Promise<Speed> {
  const forward = await timed(contender.classifier, forwardStep, prepare, batch);
  const gradient = await timed(attackedOf(contender), attackStep, prepare, batch);
  return {
    ...{ forward: forward.each, gradient: gradient.each },
    ...{ compileForward: forward.compile, compileGradient: gradient.compile },
  };
}

async function timed(classifier: Classifier, step: Step, prepare: Prepare, batch: number) {
  const begun = performance.now();
  const shape = [batch, ...classifier.input];
  const specs = [{ shape }, { shape: [batch], dtype: 'int32' }] as const;
  const run: Executable<[TensorSpec, TensorSpec], tf.Tensor> = await prepare(
    (x, y) => step(classifier, x as tf.Tensor4D, y as tf.Tensor1D),
    [...specs],
    { name: `speed of ${classifier.name}` },
  );
  try {
    const compile = secondsSince(begun);
    const images = benchPixels(shape.reduce((product, side) => product * side, 1));
    const labels = benchLabels(batch, classifier.classes);
    // The first call makes room for what the others use again.
    await run(images, labels);
    const started = performance.now();
    let calls = 0;
    // All calls count, those too that other work held up: the run will share the machine with it.
    do {
      await run(images, labels);
      calls += 1;
    } while (secondsSince(started) < TIMED_SECONDS);
    return { compile, each: secondsSince(started) / calls / batch };
  } finally {
    await run.release();
  }
}

const secondsSince = (begun: number): number => (performance.now() - begun) / 1000;
