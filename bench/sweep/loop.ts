/** PyTorch's side of a sweep: the plain loop in rivals/sweep.py, on the same weights and the same images. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../../src/compile/compile.ts';
import { selectImages } from '../../src/evaluate/images.ts';
import { prepareJudge } from '../../src/evaluate/pool/engine.ts';
import { judgeAll } from '../../src/evaluate/pool/verify.ts';
import { writeSafetensors } from '../../src/weights/safetensors.ts';
import { type Rival, startRival } from '../rival.ts';
import type { SweepSpec, Swept } from './sweep.ts';

const SCRIPT = fileURLToPath(new URL('../rivals/sweep.py', import.meta.url));

export interface Loop extends Pick<Rival, 'version' | 'setting' | 'end'> {
  sweep(): Promise<LoopSwept>;
}

export interface LoopSwept extends Swept {
  /** Of the radius 0, where the loop takes all its steps too. */
  readonly secondsAtZero: number;
}

/**
 * The loop, once its network has the same logits for these images as ours.
 *
 * @param folder - where they are handed over
 */
export async function startLoop(
  spec: SweepSpec,
  checkpoint: string,
  folder: string,
): Promise<Loop | { readonly missing: string }> {
  const { planned, epsilons } = spec;
  const { steps, step } = planned.params;
  const file = join(folder, `${spec.contender.architecture.name}-${spec.contender.training}.safetensors`);
  await handOver(spec, file);
  const numbers = [steps, step, ...epsilons].map(String);
  const rival = await startRival(process.env.PYTHON ?? 'python3', [SCRIPT, spec.clock, checkpoint, file, ...numbers]);
  if ('missing' in rival) return rival;
  const { version, setting, ask, end } = rival;
  return { version, setting, end, sweep: async () => sweptOf(spec, Number(steps), await ask()) };
}

/** Images and labels, and our logits for them. */
async function handOver({ contender, dataset, images, seed, batch }: SweepSpec, file: string): Promise<void> {
  const { classifier } = contender;
  const pixels: Float32Array[] = [];
  const labels: number[] = [];
  for await (const image of selectImages(dataset, images, seed).stream()) {
    pixels.push(image.pixels);
    labels.push(image.label);
  }
  const judge = await prepareJudge(compile, classifier, batch);
  const logits = await judgeAll(judge, pixels);
  await judge.release();
  const matrix = (rows: readonly Float32Array[], shape: readonly number[]) =>
    ({
      dtype: 'F32',
      shape: [rows.length, ...shape],
      data: Float32Array.from(rows.flatMap((row) => [...row])),
    }) as const;
  await writeSafetensors(
    file,
    new Map([
      ['images', matrix(pixels, classifier.input)],
      [
        'labels',
        matrix(
          labels.map((label) => Float32Array.of(label)),
          [],
        ),
      ],
      ['logits', matrix(logits, [classifier.classes])],
    ]),
  );
}

/** `0.81:1101 …`: the clean pass, then every radius, with its seconds and which images stood. */
export function sweptOf(
  { images, epsilons }: Pick<SweepSpec, 'images' | 'epsilons'>,
  steps: number,
  line: string,
): LoopSwept {
  const parts = line.split(' ').map((part) => {
    const [, seconds, digits = ''] = /^([\d.e+-]+):([01]+)$/.exec(part) ?? [];
    return { seconds: Number(seconds), standing: Uint8Array.from(digits, Number) };
  });
  const isWhole = parts.every(({ seconds, standing }) => Number.isFinite(seconds) && standing.length === images);
  if (parts.length !== 1 + epsilons.length || !isWhole) {
    throw new Error(`the loop gave "${line.slice(0, 80)}", not the seconds and images of ${epsilons.length} radii`);
  }
  const [, ...radii] = parts;
  const gradients = images * epsilons.length * steps;
  return {
    seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0),
    secondsAtZero: radii[epsilons.indexOf(0)]?.seconds ?? 0,
    ...{ gradients, computed: gradients, forwards: images * parts.length },
    standing: radii.map(({ standing }) => standing),
  };
}
