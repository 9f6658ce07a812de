import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { openFolder } from '../../src/data/folder.ts';
import { IMAGENET_CLASSES, imagenetIndex, isWnid } from '../../src/data/imagenet-classes.ts';
import { DEVKIT, validationLabels } from '../../src/data/imagenet-validation.ts';
import { matlabFile, structures } from './matlab-writer.ts';
import { picture, put, take, temporaryFolder } from './pictures.ts';

const folder = temporaryFolder();
const FORM = { input: [8, 8, 3], resize: 8, classes: IMAGENET_CLASSES.map(({ name }) => name) } as const;

describe("ImageNet's classes", () => {
  it('are 1,000, ascending by WordNet id, which is what their numbers are', () => {
    const wnids = IMAGENET_CLASSES.map(({ wnid }) => wnid);
    expect(wnids).toHaveLength(1000);
    expect(wnids.every(isWnid)).toBe(true);
    expect(wnids).toEqual([...new Set(wnids)].sort());
    expect(IMAGENET_CLASSES.every(({ name }) => /^[A-Za-z][\w' .-]*$/.test(name))).toBe(true);
  });

  it.each([
    [0, 'n01440764', 'tench'],
    [7, 'n01514668', 'cock'],
    [368, 'n02483362', 'gibbon'],
    [388, 'n02510455', 'giant panda'],
    [999, 'n15075141', 'toilet tissue'],
  ])('number %i is %s, %s', (index, wnid, name) => {
    expect(IMAGENET_CLASSES[index]).toEqual({ wnid, name });
    expect(imagenetIndex(wnid)).toBe(index);
  });
});

/** The kit's number of the class of that index: its own order, which is not the networks'. */
const idOf = (index: number): number => ((index * 7) % 1000) + 1;

const synsets = [
  ...IMAGENET_CLASSES.map(({ wnid }, index) => ({ ILSVRC2012_ID: idOf(index), WNID: wnid, words: 'words' })),
  { ILSVRC2012_ID: 1001, WNID: 'n00001740', words: 'entity' },
];

async function putKit(where: string, lines: readonly string[], meta = matlabFile(structures('synsets', synsets))) {
  const data = join(where, DEVKIT, 'data');
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'meta.mat'), meta);
  await writeFile(join(data, 'ILSVRC2012_validation_ground_truth.txt'), `${lines.join('\n')}\n`);
}

const validationImage = (number: number): string => `ILSVRC2012_val_${String(number).padStart(8, '0')}.JPEG`;

describe("ImageNet's validation images in one folder", () => {
  it.each(['beside', 'inside'])('get their labels from the development kit %s', async (place) => {
    const images = join(folder, place, 'images');
    await putKit(place === 'inside' ? images : join(folder, place), [368, 388, 7].map(idOf).map(String));
    for (const number of [1, 2, 3, 4]) await put(join(images, validationImage(number)), picture().jpeg());
    await writeFile(join(images, 'list.csv'), 'not a photograph');
    const dataset = await openFolder(images, 'test', FORM);
    const examples = await take(dataset);
    expect(dataset.labels).toBe('true');
    expect(examples.map(({ id, label }) => [id, label])).toEqual([
      [validationImage(1), 368],
      [validationImage(2), 388],
      [validationImage(3), 7],
    ]);
    expect(dataset.skipped?.()).toEqual([
      { id: validationImage(4), why: 'there are labels for 3 images' },
      { id: 'list.csv', why: 'it is none of the validation images' },
    ]);
  });

  it('without the kit are refused: no accuracy may pass for a true one', async () => {
    const images = join(folder, 'lone', 'images');
    await put(join(images, validationImage(1)), picture().jpeg());
    await expect(openFolder(images, 'test', FORM)).rejects.toThrow(/without their labels: put ILSVRC2012_devkit_t12/);
  });

  it('are refused for a network of other classes', async () => {
    await expect(openFolder(join(folder, 'lone', 'images'), 'test', { ...FORM, classes: ['a', 'b'] })).rejects.toThrow(
      /the network has 2 classes/,
    );
  });

  it.each<[string, readonly string[], Buffer, RegExp]>([
    [
      'a line that is no number',
      ['1', 'two'],
      matlabFile(structures('synsets', synsets)),
      /ground_truth.*line 2.*"two"/,
    ],
    ['a number of no class', ['1001'], matlabFile(structures('synsets', synsets)), /line 1 is no number of a class/],
    ['another list', ['1'], matlabFile(structures('words', synsets)), /meta.mat is damaged: it has no list of synsets/],
    ['synsets missing', ['1'], matlabFile(structures('synsets', synsets.slice(1))), /names 999 of ImageNet's 1000/],
    [
      'two of a number',
      ['1'],
      matlabFile(
        structures(
          'synsets',
          synsets.map((s) => ({ ...s, ILSVRC2012_ID: 5 })),
        ),
      ),
      /damaged/,
    ],
    ['another field', ['1'], matlabFile(structures('synsets', [{ WNID: 'n02510455' }])), /lacks ILSVRC2012_ID/],
    ['a broken list', ['1'], Buffer.from('MATLAB'), /meta.mat is not a MATLAB 5 file/],
  ])('with %s in the kit are refused, by name', async (what, lines, meta, message) => {
    const images = join(folder, what);
    await putKit(images, lines, meta);
    const error = await validationLabels(images).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(message);
  });
});
