import { appendFile, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PhotoForm } from '../../src/core/dataset.ts';
import { UserError } from '../../src/core/errors.ts';
import { openFolder } from '../../src/data/folder.ts';
import { IMAGENET_CLASSES } from '../../src/data/imagenet-classes.ts';
import { openPhotos } from '../../src/data/photo-files.ts';
import { readPhoto } from '../../src/data/read-photo.ts';
import { idsOf, picture, pixels, put, take, temporaryFolder } from './pictures.ts';

const folder = temporaryFolder();
const at = (...names: string[]): string => join(folder, ...names);
const FORM: PhotoForm = { input: [8, 8, 3], resize: 10, classes: ['ant', 'bee'] };
const withClasses = (...classes: string[]): PhotoForm => ({ ...FORM, classes });
const refusal = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect((error as Error).message).not.toContain('\n');
  return (error as Error).message;
};

/** Twenty files: 17 photographs of many kinds, a text, a half of a photograph, and one that is empty. */
const MIXED = at('mixed');
const BAD = ['04-text.jpg', '09-half.jpg', '13-empty.png'];

beforeAll(async () => {
  for (let i = 0; i < 20; i++) {
    const two = String(i).padStart(2, '0');
    if (BAD.some((name) => name.startsWith(two))) continue;
    if (i === 1) await picture().toColourspace('cmyk').jpeg().toFile(at('mixed', '01-cmyk.jpg'));
    else if (i === 2) await put(at('mixed', '02-deep.png'), picture().toColourspace('rgb16'));
    else if (i === 3) await movingPicture(at('mixed', '03-moving.gif'));
    else if (i === 5) await put(at('mixed', '05-big.jpg'), picture(2400, 1600));
    else await put(at('mixed', `${two}.${i % 2 === 0 ? 'jpg' : 'png'}`), picture(30 + i, 25, i));
  }
  await writeFile(at('mixed', '04-text.jpg'), 'no photograph');
  await put(at('mixed', '09-half.jpg'), picture(300, 300));
  await truncate(at('mixed', '09-half.jpg'), 3000);
  await writeFile(at('mixed', '13-empty.png'), '');
  await writeFile(at('mixed', '.hidden'), 'nobody looks here');
});

async function movingPicture(path: string): Promise<void> {
  const frames = await Promise.all([1, 2].map((seed) => picture(40, 32, seed).png().toBuffer()));
  await sharp(frames, { join: { animated: true } })
    .gif()
    .toFile(path);
}

describe('a folder of photographs without classes', () => {
  it('gives what can be read, in the order of the names, and names the rest', async () => {
    const dataset = await openFolder(MIXED, 'test', FORM);
    expect([dataset.name, dataset.split, dataset.labels, dataset.size]).toEqual(['mixed', 'all', 'predicted', 20]);
    expect(dataset.classes).toEqual(['ant', 'bee']);
    const examples = await take(dataset);
    expect(examples).toHaveLength(17);
    expect(idsOf(examples)).toEqual(idsOf(examples).toSorted());
    expect(examples.every(({ label }) => label === -1)).toBe(true);
    const skipped = dataset.skipped?.() ?? [];
    expect(skipped.map(({ id }) => id)).toEqual(BAD);
    expect(skipped.map(({ why }) => why)).toEqual([
      expect.stringMatching(/not a JPEG/),
      expect.stringMatching(/damaged/),
      expect.stringMatching(/not a JPEG|damaged/),
    ]);
    expect(examples[5]?.image).toEqual(await readPhoto(at('mixed', `${examples[5]?.id}`), FORM));
  });

  it('gives the same images in every pass, and tells of a bad file once', async () => {
    const dataset = await openFolder(MIXED, 'test', FORM);
    const first = await take(dataset, { seed: 5, images: 12 });
    const again = await take(dataset, { seed: 5, images: 12 });
    expect(again).toEqual(first);
    await take(dataset);
    await take(dataset, { seed: 8 });
    expect(dataset.skipped?.().map(({ id }) => id)).toEqual(BAD);
  });

  it('gives the first readable ones of the seeded order, however many are asked for', async () => {
    const order = idsOf(await take(await openFolder(MIXED, 'test', FORM), { seed: 3 }));
    expect(order).toHaveLength(17);
    expect(order).not.toEqual(order.toSorted());
    for (const images of [1, 17, 20]) {
      const dataset = await openFolder(MIXED, 'test', FORM);
      expect(idsOf(await take(dataset, { seed: 3, images }))).toEqual(order.slice(0, images));
    }
    expect(idsOf(await take(await openFolder(MIXED, 'test', FORM), { seed: 4 }))).not.toEqual(order);
  });

  it('tells only of files that stood before the last image asked for, whatever was decoded ahead', async () => {
    const dataset = await openFolder(MIXED, 'test', FORM);
    await take(dataset, { images: 4 });
    expect(dataset.skipped?.()).toEqual([]);
    await take(dataset, { images: 5 });
    expect(dataset.skipped?.().map(({ id }) => id)).toEqual(['04-text.jpg']);
  });

  it('stops a run when a file that could be read no longer can', async () => {
    const changing = at('changing');
    for (const name of ['a.png', 'b.png', 'c.png']) await put(join(changing, name));
    const dataset = await openFolder(changing, 'test', FORM);
    await take(dataset);
    await writeFile(join(changing, 'b.png'), 'gone');
    expect(await refusal(take(dataset))).toMatch(/^b\.png of changing could be read before, and now: it is not/);
  });

  it('is refused if there is nothing in it that can be read', async () => {
    await mkdir(at('empty'));
    expect(await refusal(openFolder(at('empty'), 'test', FORM))).toMatch(/empty has no image: there is no file/);
    await mkdir(at('texts'));
    for (const name of ['a.jpg', 'b.jpg']) await writeFile(at('texts', name), 'text');
    const texts = await openFolder(at('texts'), 'test', FORM);
    expect(await refusal(take(texts))).toMatch(/texts has no image that can be read: a\.jpg: .* so on for 2 files$/);
    expect(await refusal(openFolder(at('nowhere'), 'test', FORM))).toMatch(/cannot read .*nowhere: no such file/);
    expect(await refusal(openFolder(at('texts', 'a.jpg'), 'test', FORM))).toMatch(/a\.jpg is a file, not a folder/);
  });

  it.each([0, -1, 1.5, 21])('refuses to stream %s images', async (images) => {
    const dataset = await openFolder(MIXED, 'test', FORM);
    expect(await refusal(take(dataset, { images }))).toMatch(/mixed\/all has 20 images/);
  });
});

describe('its hash', () => {
  it('changes with a name, with a byte of a file, and with nothing else', async () => {
    const place = at('hashed');
    const names = ['a.png', 'b.png', 'c.png', 'd.png'];
    for (const [seed, name] of names.entries()) await put(join(place, name), picture(20, 20, seed));
    const hash = async (options = {}) => (await openFolder(place, 'test', FORM)).hash(options);
    const before = await hash();
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(await hash()).toBe(before);
    const part = { images: 2 };
    const partBefore = await hash(part);
    expect(partBefore).not.toBe(before);

    const bytes = await readFile(join(place, 'd.png'));
    await writeFile(join(place, 'd.png'), bytes.with(bytes.length - 20, (bytes.at(-20) ?? 0) ^ 1));
    expect(await hash()).not.toBe(before);
    // Of the same length, and not among those that are measured.
    expect(await hash(part)).toBe(partBefore);
    await appendFile(join(place, 'd.png'), 'longer');
    expect(await hash(part)).not.toBe(partBefore);
  });
});

describe('class folders', () => {
  const bees = at('insects');
  beforeAll(async () => {
    for (const id of ['bee/1.png', 'bee/deep/2.png', 'ant/1.png', 'ant/0.jpg']) await put(at('insects', id));
    await writeFile(at('insects', 'README.txt'), 'about insects');
  });

  it('give each file the class that its folder is named after', async () => {
    const dataset = await openFolder(bees, 'test', withClasses('wasp', 'Bee', 'ANT'));
    const examples = await take(dataset);
    expect([dataset.name, dataset.split, dataset.labels]).toEqual(['insects', 'all', 'true']);
    expect(dataset.classes).toEqual(['wasp', 'Bee', 'ANT']);
    expect(examples.map(({ id, label }) => [id, label])).toEqual([
      ['ant/0.jpg', 2],
      ['ant/1.png', 2],
      ['bee/1.png', 1],
      ['bee/deep/2.png', 1],
    ]);
    expect(dataset.skipped?.()).toEqual([{ id: 'README.txt', why: 'it lies beside the class folders' }]);
  });

  it('are the classes of a network that has yet to learn them', async () => {
    const dataset = await openFolder(bees, 'train', withClasses());
    expect(dataset.classes).toEqual(['ant', 'bee']);
    expect((await take(dataset)).map(({ label }) => label)).toEqual([0, 0, 1, 1]);
  });

  it('of other names stand for the class at their place, if there are as many', async () => {
    const dataset = await openFolder(bees, 'test', withClasses('Ameise', 'Biene'));
    expect((await take(dataset)).map(({ label }) => label)).toEqual([0, 0, 1, 1]);
    expect(dataset.notes).toEqual([expect.stringMatching(/taken in their order, ant for Ameise, bee for Biene$/)]);
  });

  it('are told to be taken in their order only where a name does not say so', async () => {
    expect((await openFolder(bees, 'test', withClasses('Ant', 'hornet'))).notes).toEqual([
      expect.stringMatching(/taken in their order, bee for hornet$/),
    ]);
    for (const form of [withClasses('Ant', 'BEE'), withClasses()]) {
      expect((await openFolder(bees, 'test', form)).notes).toEqual([]);
    }
  });

  it.each<[string, readonly string[], RegExp]>([
    ['there are not as many as classes', ['x', 'y', 'z'], /has 2 class folders and the network knows 3 .*"ant": name/],
    ['a name contradicts the place', ['x', 'ant'], /none of them called "bee"/],
    ['two classes have that name', ['ant', 'bee', 'Bee'], /two classes called "bee"/],
  ])('are refused where %s', async (_what, classes, message) => {
    expect(await refusal(openFolder(bees, 'test', withClasses(...classes)))).toMatch(message);
  });

  it('of one name but for its spelling are refused', async () => {
    for (const id of ['big_bee/1.png', 'Big bee/1.png']) await put(at('alike', id));
    expect(await refusal(openFolder(at('alike'), 'test', withClasses('big bee')))).toMatch(/Big bee and big_bee/);
  });

  it("named by WordNet ids have ImageNet's numbers, as in ImageNet, Imagenette and Imagewoof", async () => {
    const classes = IMAGENET_CLASSES.map(({ name }) => name);
    for (const id of ['n02510455/panda.jpg', 'n02483362/gibbon.jpg', 'n01440764/tench.jpg']) await put(at('nette', id));
    const dataset = await openFolder(at('nette'), 'test', withClasses(...classes));
    expect((await take(dataset)).map(({ id, label }) => [id, label])).toEqual([
      ['n01440764/tench.jpg', 0],
      ['n02483362/gibbon.jpg', 368],
      ['n02510455/panda.jpg', 388],
    ]);
    expect(dataset.classes).toHaveLength(1000);
    await put(at('nette', 'n00000001', 'x.jpg'));
    expect(await refusal(openFolder(at('nette'), 'test', withClasses(...classes)))).toMatch(
      /n00000001 is none of ImageNet's 1,000 classes/,
    );
  });

  it('are sorted by code unit, not by language', async () => {
    for (const name of ['b', 'Z', 'ä', 'a-b', 'a', 'a b']) await put(at('order', name, '1.png'), picture(9, 9));
    const dataset = await openFolder(at('order'), 'test', withClasses());
    expect(dataset.classes).toEqual(['Z', 'a', 'a b', 'a-b', 'b', 'ä']);
    expect((await take(dataset)).find(({ id }) => id === 'a-b/1.png')?.label).toBe(3);
  });
});

describe('train, val and test below a folder', () => {
  const files = async (name: string, ...ids: string[]): Promise<string> => {
    for (const id of ids) await put(at(name, id), picture(9, 9));
    return at(name);
  };
  const opened = async (place: string, split: 'train' | 'test') => {
    const dataset = await openFolder(place, split, withClasses());
    return [dataset.name, dataset.split, ...idsOf(await take(dataset))];
  };

  it('are chosen by the split', async () => {
    const place = await files('three', 'train/a/1.png', 'val/a/2.png', 'test/a/3.png');
    expect(await opened(place, 'train')).toEqual(['three', 'train', 'a/1.png']);
    expect(await opened(place, 'test')).toEqual(['three', 'test', 'a/3.png']);
    expect(await opened(join(place, 'val'), 'test')).toEqual(['three', 'val', 'a/2.png']);
  });

  it('give val for measuring where test has no classes, as in ImageNet, or is not there', async () => {
    const place = await files('imagenet', 'train/a/1.png', 'val/a/2.png', 'test/3.png');
    await mkdir(join(place, 'ILSVRC2012_devkit_t12'), { recursive: true });
    expect(await opened(place, 'test')).toEqual(['imagenet', 'val', 'a/2.png']);
    expect(await opened(await files('two', 'train/a/1.png', 'val/a/2.png'), 'test')).toEqual(['two', 'val', 'a/2.png']);
  });

  it('are classes where other folders stand beside them', async () => {
    const place = await files('vehicles', 'train/1.png', 'ship/1.png');
    expect(await opened(place, 'train')).toEqual(['vehicles', 'all', 'ship/1.png', 'train/1.png']);
  });

  it('are refused where the one asked for is missing', async () => {
    const place = await files('half', 'train/a/1.png');
    expect(await refusal(openFolder(place, 'test', FORM))).toMatch(/half has train, and neither test nor val/);
    const other = await files('other-half', 'val/a/1.png');
    expect(await refusal(openFolder(other, 'train', FORM))).toMatch(/other-half has val, and no train/);
  });
});

describe('symbolic links', () => {
  it('are followed inside the folder alone, and told of elsewhere', async () => {
    await put(at('outside', 'secret.png'));
    const place = at('links');
    await put(join(place, 'real.png'));
    await symlink(at('outside', 'secret.png'), join(place, 'b-out.png'));
    await symlink(at('outside'), join(place, 'c-folder'));
    await symlink(join(place, 'real.png'), join(place, 'a-in.png'));
    await symlink(place, join(place, 'd-loop'));
    await symlink(join(place, 'nothing.png'), join(place, 'e-nothing.png'));
    const dataset = await openFolder(place, 'test', FORM);
    expect(idsOf(await take(dataset))).toEqual(['a-in.png', 'real.png']);
    expect(dataset.skipped?.()).toEqual([
      { id: 'b-out.png', why: 'it is a link that leads out of the folder' },
      { id: 'c-folder', why: 'it is a link that leads out of the folder' },
      { id: 'd-loop', why: expect.stringMatching(/link/) },
      { id: 'e-nothing.png', why: 'it is a link to nothing' },
    ]);
  });

  it('to the folder itself are no obstacle', async () => {
    await symlink(MIXED, at('linked'));
    const dataset = await openFolder(at('linked'), 'test', FORM);
    expect([dataset.name, (await take(dataset)).length]).toEqual(['linked', 17]);
  });
});

describe('photographs named one by one', () => {
  it('come in that order, each once, without labels', async () => {
    const [one, two] = [await put(at('some', 'z.png')), await put(at('some', 'a.jpg'))];
    const dataset = await openPhotos([one, two, one], FORM);
    expect([dataset.name, dataset.split, dataset.labels, dataset.size]).toEqual(['photos', 'all', 'predicted', 2]);
    expect(idsOf(await take(dataset))).toEqual(['z.png', 'a.jpg']);
  });

  it('have ids of their own also where their names are the same', async () => {
    const paths = [await put(at('left', 'x.png')), await put(at('right', 'x.png'))];
    const ids = idsOf(await take(await openPhotos(paths, FORM)));
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => id.endsWith('/x.png'))).toBe(true);
  });

  it('are refused where one is missing or a folder, and left out where one is damaged', async () => {
    const good = await put(at('some', 'good.png'));
    expect(await refusal(openPhotos([good, at('some', 'no.png')], FORM))).toMatch(
      /cannot read .*no\.png: no such file/,
    );
    expect(await refusal(openPhotos([at('some')], FORM))).toMatch(
      /some is a folder: --dataset takes all photographs in it/,
    );
    expect(await refusal(openPhotos([], FORM))).toMatch(/photos has no image/);
    await writeFile(at('some', 'bad.png'), pixels(9, 9));
    const dataset = await openPhotos([at('some', 'bad.png'), good], FORM);
    expect(idsOf(await take(dataset))).toEqual(['good.png']);
    expect(dataset.skipped?.().map(({ id }) => id)).toEqual(['bad.png']);
  });
});
