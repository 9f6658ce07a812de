/** How fast an architecture is here, with weights that nobody trained: measured in this process, alone. */

import type { BackendName } from '../../backends/names.ts';
import { openBackend } from '../../backends/open.ts';
import type { Prepare } from '../../compile/types.ts';
import { buildNetwork, type Network, specOf } from '../../models/network.ts';
import type { tf } from '../../tf.ts';
import { peakMemory } from './peak-memory.ts';
import { attackStep, benchLabels, benchPixels, forwardStep, type Step } from './steps.ts';

export interface BenchRequest {
  readonly arch: string;
  readonly variant: string;
  /** Height and width of the images. */
  readonly size: number;
  readonly batch: number;
  /** How long each rate is measured. */
  readonly seconds: number;
  readonly backend: BackendName;
}

export interface Figures {
  /** Images a second. */
  readonly forward: number;
  readonly attackStep: number;
  /** What it took to compile both. */
  readonly compileSeconds: number;
  /** The most bytes that the process held, network, compiler and runtime together. */
  readonly peakMemory: number;
}

const CLASSES = 1000;
const CHANNELS = 3;

/** @throws UserError for an architecture, form or size that there is not */
export async function measure(request: BenchRequest): Promise<Figures> {
  const { arch, variant, size } = request;
  const { prepare } = await openBackend(request.backend);
  const network = buildNetwork(specOf(arch, variant, [size, size, CHANNELS], CLASSES), 0);
  try {
    const forward = await timed(network, forwardStep, request, prepare);
    const attacked = await timed(network, attackStep, request, prepare);
    return {
      forward: forward.perSecond,
      attackStep: attacked.perSecond,
      compileSeconds: forward.compileSeconds + attacked.compileSeconds,
      peakMemory: peakMemory(),
    };
  } finally {
    network.dispose();
  }
}

interface Timed {
  /** Images. */
  readonly perSecond: number;
  readonly compileSeconds: number;
}

const WARM_UP_CALLS = 2;

/** However long one takes: a single call says more of what else the machine was doing than of the network. */
const LEAST_CALLS = 3;

/** The middle value, or the upper of two: a call that other work held up does not move it. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function timed(
  { classifier, spec }: Network,
  step: Step,
  { size, batch, seconds }: BenchRequest,
  prepare: Prepare,
): Promise<Timed> {
  const begun = performance.now();
  const run = await prepare(
    (x, y) => step(classifier, x as tf.Tensor4D, y as tf.Tensor1D),
    [{ shape: [batch, size, size, CHANNELS] }, { shape: [batch], dtype: 'int32' }],
    { name: `bench of ${spec.arch}` },
  );
  try {
    const compileSeconds = secondsSince(begun);
    const [images, labels] = [benchPixels(batch * size * size * CHANNELS), benchLabels(batch, CLASSES)];
    for (let call = 0; call < WARM_UP_CALLS; call++) await run(images, labels);
    const started = performance.now();
    const calls: number[] = [];
    while (calls.length < LEAST_CALLS || secondsSince(started) < seconds) {
      const called = performance.now();
      await run(images, labels);
      calls.push(secondsSince(called));
      // Whoever waits for the figures may be gone: let the news in.
      await new Promise(setImmediate);
    }
    return { perSecond: batch / median(calls), compileSeconds };
  } finally {
    await run.release();
  }
}

const secondsSince = (begun: number): number => (performance.now() - begun) / 1000;
