/** A program that trains on WebGPU, closes what it opened before it frees what is on the device, and ends. */
import standard from '../../../defenses/standard.ts';
import { compile } from '../../../src/compile/compile.ts';
import { tf } from '../../../src/tf.ts';
import { epochBatches } from '../../../src/train/batches.ts';
import { preparedStep } from '../../../src/train/prepared-step.ts';
import { disposeOwn, trainingVariables } from '../../../src/train/variables.ts';
import { tinyDataset, tinyNetwork, tinyPlan } from '../../train/tiny.ts';

await tf.setBackend('cpu');
const plan = tinyPlan(standard, { batch: 8, dataset: tinyDataset(8) });
const network = tinyNetwork();
const variables = trainingVariables(plan, network);
const step = await preparedStep(plan, network, variables, (fn, specs, options) =>
  compile(fn, specs, { ...options, provider: 'webgpu' }),
);
const options = { heldOut: new Set<string>(), size: plan.batch, seed: plan.seed, epoch: 0, from: 0 };
for await (const batch of epochBatches(plan.dataset, options)) {
  await step.run(batch, { epoch: 0, updates: 0, rate: 0.05 });
}
await step.release();
disposeOwn(variables);
network.dispose();
console.log('done');
