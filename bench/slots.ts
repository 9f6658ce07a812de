/**
 * What slots are worth: PGD-40 on the bundled networks, once with every slot refilled as soon as its image is done, once in
 * fixed batches that wait for their slowest image. Same images, same results.
 *
 *     npx tsx bench/slots.ts [--images N] [--batch B] [--epsilon E]
 */
import { parseArgs } from 'node:util';
import pgd from '../attacks/pgd.ts';
import { compile } from '../src/compile/compile.ts';
import { parseNumber, resolveParams } from '../src/core/params.ts';
import { openDataset } from '../src/data/registry.ts';
import { selectImages } from '../src/evaluate/images.ts';
import { prepareAttack, prepareJudge } from '../src/evaluate/pool/engine.ts';
import type { Assignment } from '../src/evaluate/pool/lanes.ts';
import { type Outcome, type PoolReport, runPool } from '../src/evaluate/pool/pool.ts';
import { rehearse } from '../src/evaluate/rehearse/rehearse.ts';
import { loadCheckpoint } from '../src/models/checkpoint.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '1000' },
    batch: { type: 'string', default: '64' },
    epsilon: { type: 'string', default: '0.1' },
  },
});
const number = (given: string): number => {
  const parsed = parseNumber(given);
  if (parsed === undefined) throw new Error(`"${given}" is not a number`);
  return parsed;
};
const [images, batch, epsilon] = [number(values.images), number(values.batch), number(values.epsilon)];

interface Measured extends PoolReport {
  readonly seconds: number;
  readonly robust: number;
  readonly gradients: number;
}

async function measure(training: string, refill: boolean): Promise<Measured> {
  const network = await loadCheckpoint(`checkpoints/mnist/vgg16-${training}.safetensors`);
  const dataset = await openDataset('mnist', 'test');
  const { classifier } = network;
  const planned = { attack: pgd, params: resolveParams('pgd', pgd.params, { step: epsilon / 30 }) };
  const rehearsal = await rehearse({ ...planned, classifier, norm: 'Linf', targeted: false });
  const judge = await prepareJudge(compile, classifier, batch);
  const engine = await prepareAttack(compile, {
    ...planned,
    classifier,
    norm: 'Linf',
    batch,
    rehearsal,
    targeted: false,
  });
  const work = async function* (): AsyncGenerator<Assignment> {
    for await (const image of selectImages(dataset, images, 0).stream()) yield { image, radii: [0] };
  };
  const outcomes: Outcome[] = [];
  const began = performance.now();
  const report = await runPool({
    ...{ engine, rehearsal, judge, refill },
    ...{ norm: 'Linf', goal: { kind: 'untargeted' }, seed: 0, epsilons: [epsilon], restarts: 1 },
    work: work(),
    input: classifier.input,
    onSettled: async (settled) => void outcomes.push(...settled),
  });
  const seconds = (performance.now() - began) / 1000;
  await Promise.all([engine.release(), judge.release()]);
  network.dispose();
  const gradients = outcomes.reduce((sum, outcome) => sum + outcome.gradients, 0);
  return { ...report, seconds, robust: outcomes.filter(({ robust }) => robust).length, gradients };
}

for (const training of ['standard', 'adversarial']) {
  const fixed = await measure(training, false);
  const slots = await measure(training, true);
  if (fixed.robust !== slots.robust || fixed.gradients !== slots.gradients) throw new Error('the two ways disagree');
  const row = (name: string, { seconds, calls, occupied }: Measured): string =>
    `  ${name.padEnd(14)}${seconds.toFixed(1)} s, ${calls} steps of ${batch}, ${((100 * occupied) / (calls * batch)).toFixed(0)} % of the slots at work\n`;
  process.stdout.write(
    `vgg16/${training}: PGD-40 at ${epsilon}, ${images} images, ${slots.gradients} gradients, ${slots.robust} stand\n` +
      row('fixed batches', fixed) +
      row('slots', slots) +
      `  ratio ${(fixed.seconds / slots.seconds).toFixed(2)}\n`,
  );
}
