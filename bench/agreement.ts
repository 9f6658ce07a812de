/**
 * How far apart the adversarial images of two runs are, such as those of one command on two backends:
 *
 *     gibbon experiment --attack fgsm,pgd --early-stop=false --save-images all --backend cpu --out A ...
 *     npx tsx bench/agreement.ts A B
 *
 * For every network, attack and radius the share of pixels that differ by more than 10⁻⁴, and of how many images they are.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGES } from '../src/core/saved.ts';
import { readSafetensors, type StoredTensor } from '../src/weights/safetensors.ts';

const TOLERANCE = 1e-4;

const [first, second] = process.argv.slice(2);
if (first === undefined || second === undefined) throw new Error('two folders of runs are compared');

async function adversarial(folder: string, file: string): Promise<StoredTensor> {
  const { tensors } = await readSafetensors(join(folder, IMAGES, file));
  const found = tensors.get('adversarial');
  if (found === undefined) throw new Error(`${join(folder, IMAGES, file)} holds no adversarial images`);
  return found;
}

const files = (await readdir(join(first, IMAGES), { recursive: true })).filter((file) => file.endsWith('.safetensors'));
for (const file of files.sort()) {
  const [one, other] = [await adversarial(first, file), await adversarial(second, file)];
  if (one.shape.join() !== other.shape.join()) throw new Error(`${file} holds [${one.shape}] and [${other.shape}]`);
  const pixels = one.data.length / (one.shape[0] ?? 1);
  const expected = other.data as Float32Array;
  const apart: number[] = [];
  (one.data as Float32Array).forEach((value, i) => {
    if (Math.abs(value - (expected[i] as number)) > TOLERANCE) apart.push(i);
  });
  const images = new Set(apart.map((i) => Math.floor(i / pixels)));
  const share = ((100 * apart.length) / one.data.length).toFixed(3);
  process.stdout.write(`${file}: ${share} % of the pixels, of ${images.size} of ${one.shape[0]} images\n`);
}
