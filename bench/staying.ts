/**
 * What it is worth that the weights of a training stay on the device: updates of as many weights as ResNet-18 has, once with
 * weights and velocities there from update to update, once with both brought home and sent there again.
 *
 *     npx tsx bench/staying.ts [--calls N]
 */
import { parseArgs } from 'node:util';
import { openBackend } from '../src/backends/open.ts';
import { median } from '../src/cli/bench/figures.ts';
import { tf } from '../src/tf.ts';

const WEIGHTS = 11_200_000;
const WARM_UP = 2;

const { values } = parseArgs({ options: { calls: { type: 'string', default: '9' } } });
const { prepare, device } = await openBackend('onnx-webgpu');
const [weight, velocity] = tf.tidy(() => [tf.variable(tf.zeros([WEIGHTS])), tf.variable(tf.zeros([WEIGHTS]), false)]);
const update = await prepare(
  (rate) => {
    velocity.assign(velocity.mul(0.9).add(weight.mul(5e-4)));
    weight.assign(weight.sub(velocity.mul(rate)));
    return rate as tf.Scalar;
  },
  [{ shape: [] }],
  { weights: 'live', name: 'the update' },
);

async function bringHome(variable: tf.Variable): Promise<void> {
  const home = tf.tensor(await variable.data(), variable.shape);
  variable.assign(home);
  home.dispose();
}

async function medianOf(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let call = -WARM_UP; call < Number(values.calls); call++) {
    const before = performance.now();
    await work();
    if (call >= 0) times.push(performance.now() - before);
  }
  return median(times);
}

const once = async (): Promise<void> => void (await update(Float32Array.of(0.1)));
const staying = await medianOf(once);
const crossing = await medianOf(async () => {
  await once();
  await Promise.all([weight, velocity].map(bringHome));
});
const ratio = (crossing / staying).toFixed(1);
process.stdout.write(
  `an update of ${WEIGHTS} weights on ${device ?? 'the device'}: ${staying.toFixed(0)} ms where they stay, ` +
    `${crossing.toFixed(0)} ms where they come home (${ratio} times)\n`,
);
await update.release();
