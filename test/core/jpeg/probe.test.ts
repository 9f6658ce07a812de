import sharp from 'sharp';
import { it } from 'vitest';
import { jpegRoundTrip } from '../../../src/core/jpeg/round-trip.ts';
import { openDataset } from '../../../src/data/registry.ts';
import { tf } from '../../../src/tf.ts';
import { scene } from '../../defenses/pictures.ts';
it('x', async () => {
  await tf.setBackend('cpu');
  const out: string[] = [];
  const run = async (name: string, image: Float32Array, [h, w, c]: number[], quality: number, sub: any) => {
    const u8 = Uint8Array.from(image, (v) => Math.round(v * 255));
    const enc = await sharp(Buffer.from(u8), { raw: { width: w!, height: h!, channels: c as 1 } }).toColourspace(c === 1 ? 'b-w' : 'srgb').jpeg({ quality, chromaSubsampling: sub, optimiseCoding: false }).toBuffer();
    const { data } = await sharp(enc).raw().toBuffer({ resolveWithObject: true });
    const lev = tf.tidy(() => jpegRoundTrip(tf.tensor4d(image, [1, h!, w!, c!]), { quality, subsampling: sub }).mul(255).dataSync());
    const d = Array.from(lev, (v, i) => Math.abs(Math.round(v) - data[i]!));
    const hist = [0, 0, 0, 0, 0, 0, 0, 0];
    d.forEach((x) => hist[Math.min(7, x)]!++);
    out.push(`${name} q${quality} ${sub} ${h}x${w} mean ${(d.reduce((a, b) => a + b, 0) / d.length).toFixed(4)} hist ${hist}`);
  };
  const digits: Float32Array[] = [];
  for await (const { image } of (await openDataset('mnist', 'test')).stream({ images: 4, seed: 1 })) digits.push(image);
  for (const q of [10, 50, 75, 100]) for (const d of digits.slice(0, 2)) await run('digit', d, [28, 28, 1], q, '4:2:0');
  for (const q of [10, 50, 75, 100]) for (const s of ['4:4:4', '4:2:0']) for (const [h, w] of [[48, 64], [37, 51]]) await run('scene', scene([h!, w!, 3]), [h!, w!, 3], q, s);
  for (const q of [50, 100]) await run('greyscene', scene([48, 64, 1]), [48, 64, 1], q, '4:2:0');
  console.log(out.join('\n'));
}, 60000);
