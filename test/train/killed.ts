/**
 * A training in a process of its own, to be killed: says every batch on stdout. Its arguments are the checkpoint to make, and
 * `resume` to go on.
 */
import { tf } from '../../src/tf.ts';
import { train } from '../../src/train/train.ts';
import { killedPlan } from './killed-plan.ts';
import { tinyHarness } from './tiny.ts';

await tf.setBackend('cpu');
const [out = '', resume] = process.argv.slice(2);
const onProgress = ({ kind }: { readonly kind: string }): void => {
  if (kind === 'batch') process.stdout.write('batch\n');
};
await train(killedPlan(), tinyHarness(out, { saveEvery: 0, onProgress, resume: resume === 'resume' }));
