import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { readWeights } from '../../src/weights/read-weights.ts';
import type { StoredTensor } from '../../src/weights/stored-tensor.ts';

const FOLDER = join(import.meta.dirname, '..', 'oracles', 'weights');
const oracle = (file: string): string => join(FOLDER, file);

interface Expected {
  readonly format: string;
  readonly tensors: Readonly<
    Record<string, { readonly dtype: string; readonly shape: number[]; readonly data: string }>
  >;
}
const expected: Readonly<Record<string, Expected>> = JSON.parse(readFileSync(oracle('expected.json'), 'utf8')).files;

const toPlain = ({ dtype, shape, data }: StoredTensor) => ({
  dtype,
  shape,
  data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
});

describe('weights as PyTorch reads them', () => {
  it.each(Object.entries(expected))('%s: names, types, shapes and every bit', async (file, { format, tensors }) => {
    const weights = await readWeights(oracle(file));
    expect(weights.format).toBe(format);
    expect(Object.fromEntries([...weights.tensors].map(([name, tensor]) => [name, toPlain(tensor)]))).toEqual(tensors);
    expect([...weights.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
    expect(weights.sha256).toBe(
      createHash('sha256')
        .update(readFileSync(oracle(file)))
        .digest('hex'),
    );
  });

  it('share memory where the file does', async () => {
    const { tensors } = await readWeights(oracle('views-zip.pth'));
    expect(tensors.get('part')?.data.buffer).toBe(tensors.get('whole')?.data.buffer);
    expect(tensors.get('transposed')?.data.buffer).not.toBe(tensors.get('whole')?.data.buffer);
  });
});

describe('weights that are no state dict', () => {
  it.each([
    [
      'module-zip.pth',
      /holds a whole model \(|asks for __main__\.Net, which is refused: .* nothing was run\. Save its state dict/,
    ],
    ['torchscript.pt', /TorchScript archive, which holds a program; nothing was run\. Save its state dict/],
    ['complex.pth', /tensor "z" has the type torch\.complex64/],
    ['uint16.pth', /tensor "w" has the type torch\.uint16/],
    ['negated.pth', /negated or conjugated view/],
  ])('%s is refused by name', async (file, message) => {
    await expect(readWeights(oracle(file))).rejects.toThrow(message);
    await expect(readWeights(oracle(file))).rejects.toThrow(UserError);
  });
});
