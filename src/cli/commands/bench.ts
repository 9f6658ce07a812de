import type { Prepare } from '../../compile/types.ts';
import type { Classifier } from '../../core/classifier.ts';
import { type Param, p, type Values } from '../../core/params.ts';
import { buildNetwork, type Network } from '../../models/network.ts';
import { findArchitecture } from '../../models/registry.ts';
import type { tf } from '../../tf.ts';
import { BACKENDS, openBackend } from '../backend.ts';
import { defineCommand, EXIT } from '../command.ts';
import { listOf, oneOf, word } from '../flags.ts';
import { cpuName } from '../surroundings.ts';
import { attackStep, examples } from '../workload.ts';

const architecture: Param<string> = word('', '', 'an architecture');

const benchFlags = {
  arch: listOf(architecture, ['vgg16'], 'architectures'),
  variant: word('imagenet', 'form of the architecture: imagenet, small', 'a form'),
  size: p.integer(224, 'height and width of the images', { min: 1 }),
  batch: p.integer(8, 'images at once', { min: 1 }),
  seconds: p.number(5, 'how long each figure is measured', { min: 0 }),
  backend: oneOf('auto', BACKENDS, 'what computes'),
  json: p.boolean(false, 'print the figures as JSON'),
};

/** Images a second. */
interface Figures {
  readonly arch: string;
  readonly forward: number;
  readonly attackStep: number;
}

export const bench = defineCommand({
  flags: benchFlags,
  run: async ({ values, terminal }) => {
    const { variant, size, batch, json } = values;
    const { name, prepare } = await openBackend(values.backend);
    const rows: Figures[] = [];
    for (const arch of values.arch) rows.push(await measure(arch, values, prepare));
    if (json) {
      terminal.print(JSON.stringify({ cpu: cpuName(), backend: name, variant, size, batch, rows }, null, 2));
      return EXIT.ok;
    }
    terminal.print(`images a second, ${variant} form, ${size}x${size}, batch ${batch}, ${name}, ${cpuName()}`);
    const line = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(14)).join('');
    terminal.print(line(['architecture', 'forward', 'attack step']));
    for (const { arch, forward, attackStep } of rows) terminal.print(line([arch, shown(forward), shown(attackStep)]));
    return EXIT.ok;
  },
});

const shown = (rate: number): string => rate.toPrecision(3);

const CLASSES = 1000;
const CHANNELS = 3;

async function measure(arch: string, values: Values<typeof benchFlags>, prepare: Prepare): Promise<Figures> {
  const { variant, size, batch } = values;
  const network = buildNetwork(
    {
      arch,
      variant,
      width: findArchitecture(arch).variants[variant] ?? 1,
      input: [size, size, CHANNELS],
      classes: CLASSES,
      normalisation: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    },
    0,
  );
  try {
    const rate = async (step: Step): Promise<number> => batch * (await callsPerSecond(network, step, values, prepare));
    return { arch, forward: await rate(forwardStep), attackStep: await rate(attackStep) };
  } finally {
    network.dispose();
  }
}

/** Images [B, H, W, C] and labels [B] to anything that must be computed. */
type Step = (classifier: Classifier, x: tf.Tensor4D, y: tf.Tensor1D) => tf.Tensor;

const forwardStep: Step = (classifier, x) => classifier.logits(x);

const WARM_UP_CALLS = 2;

async function callsPerSecond(
  network: Network,
  step: Step,
  { size, batch, seconds }: Values<typeof benchFlags>,
  prepare: Prepare,
): Promise<number> {
  const run = await prepare(
    (x, y) => step(network.classifier, x as tf.Tensor4D, y as tf.Tensor1D),
    [{ shape: [batch, size, size, CHANNELS] }, { shape: [batch], dtype: 'int32' }],
    { name: `bench of ${network.spec.arch}` },
  );
  try {
    const { x, y } = examples(batch * size * size * CHANNELS, batch, CLASSES);
    for (let call = 0; call < WARM_UP_CALLS; call++) await run(x, y);
    const started = performance.now();
    let calls = 0;
    while (calls === 0 || performance.now() - started < 1000 * seconds) {
      await run(x, y);
      calls += 1;
    }
    return (1000 * calls) / (performance.now() - started);
  } finally {
    await run.release();
  }
}
