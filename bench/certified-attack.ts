/**
 * Whether certificates hold: a smoothed network is attacked inside its certified radii, again and again, by L2 PGD whose
 * gradient is averaged over fresh noise. Every image that PREDICT then takes, by noise that nobody has seen, for another
 * class than was certified is counted: inside the radius there must be none. Beyond it (`--times 3`) the attack must succeed,
 * or it was none.
 *
 *     npx tsx bench/certified-attack.ts CHECKPOINT --sigma S [--images N] [--samples N] [--attempts N] [--times T]
 *         [--steps N] [--draws N] [--seed S]
 */
import { parseArgs } from 'node:util';
import { type Attempt, prepareSmoothedAttack } from '../src/certify/attack.ts';
import { poll } from '../src/certify/poll.ts';
import { certifiedRadius, leader, prediction } from '../src/certify/smoothing.ts';
import { compile } from '../src/compile/compile.ts';
import { parseNumber } from '../src/core/params.ts';
import { openDataset } from '../src/data/registry.ts';
import { selectImages } from '../src/evaluate/images.ts';
import { prepareJudge } from '../src/evaluate/pool/engine.ts';
import { distance } from '../src/evaluate/pool/verify.ts';
import { loadCheckpoint } from '../src/models/checkpoint.ts';
import { tf } from '../src/tf.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sigma: { type: 'string', default: '0.25' },
    images: { type: 'string', default: '200' },
    samples: { type: 'string', default: '1000' },
    attempts: { type: 'string', default: '10000' },
    times: { type: 'string', default: '1' },
    steps: { type: 'string', default: '10' },
    draws: { type: 'string', default: '4' },
    seed: { type: 'string', default: '0' },
  },
});
const number = (name: keyof typeof values): number => {
  const parsed = parseNumber(values[name]);
  if (parsed === undefined || parsed < 0) throw new Error(`--${name} ${values[name]} is no number`);
  return parsed;
};
const [file] = positionals;
if (file === undefined) throw new Error('name the checkpoint of a network that was trained with noise');
const [sigma, times, seed] = [number('sigma'), number('times'), number('seed')];
const [images, samples, attempts] = [number('images'), number('samples'), number('attempts')];
const [steps, draws] = [number('steps'), number('draws')];

const ALPHA = 0.001;
/** Float32 arithmetic may carry a point so far out of a ball, relative to its radius. */
const MARGIN = 1e-5;
/** How many noisy copies PREDICT looks at: more where fewer do not surely show the certified class. */
const LOOKS = [32, 200, 1000, 10_000];

await tf.setBackend('cpu');
const { classifier } = await loadCheckpoint(file);
const judge = await prepareJudge(compile, classifier, 100);
const batch = 32;
const attack = await prepareSmoothedAttack({ prepare: compile, classifier, sigma, draws, steps, batch, seed });
const ask = (pixels: Float32Array, image: number, purpose: 'selection' | 'estimation' | 'prediction', count: number) =>
  poll(judge, { pixels, image, seed, purpose, sigma, samples: count, accept: (logits) => logits });

const began = performance.now();
const certified: Omit<Attempt, 'number'>[] = [];
for await (const { pixels, hash } of selectImages(await openDataset('mnist', 'test'), images, seed).stream()) {
  const label = leader(await ask(pixels, hash, 'selection', 100));
  const votes = await ask(pixels, hash, 'estimation', samples);
  const radius = certifiedRadius(votes[label] ?? 0, samples, { sigma, alpha: ALPHA });
  if (radius !== null) certified.push({ pixels, label, radius });
}
if (certified.length === 0) throw new Error('no image is certified at all');
const seconds = (): string => `${Math.round((performance.now() - began) / 1000)} s`;
process.stderr.write(`${certified.length} of ${images} images are certified, ${seconds()}\n`);

let [stood, abstained, broken] = [0, 0, 0];
for (let start = 0; start < attempts; start += batch) {
  const numbers = Array.from({ length: Math.min(batch, attempts - start) }, (_, i) => start + i);
  const tries = numbers.map((one): Attempt => {
    const target = certified[one % certified.length] as (typeof certified)[number];
    return { ...target, radius: target.radius * times * (1 - MARGIN), number: one };
  });
  const made = await attack.run(tries);
  for (const [i, x] of made.entries()) {
    const { pixels, label, radius, number: one } = tries[i] as Attempt;
    if (!(distance('L2', x, pixels) < radius / (1 - MARGIN))) throw new Error(`attempt ${one} left its ball`);
    let found: number | null = null;
    for (const look of LOOKS) {
      // Numbers of attempts are no hashes of ids: this noise is new.
      found = prediction(await ask(x, (2 ** 31 + one) >>> 0, 'prediction', look), ALPHA);
      if (found === label) break;
    }
    if (found === label) stood += 1;
    else if (found === null) abstained += 1;
    else broken += 1;
  }
  if ((start / batch) % 20 === 0)
    process.stderr.write(`${start + tries.length} attempts, ${broken} broken, ${seconds()}\n`);
}
process.stdout.write(
  `${attempts} attempts at ${times} times the certified radius of ${certified.length} images, σ = ${sigma}: ` +
    `${stood} keep their class, ${abstained} are undecided, ${broken} are broken; ${seconds()}\n`,
);
await Promise.all([attack.release(), judge.release()]);
