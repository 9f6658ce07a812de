import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseGiven, withDefaults } from '../../src/cli/flags.ts';
import { flagsOfModules } from '../../src/cli/module-flags.ts';
import { commandOf } from '../../src/cli/train/command.ts';
import { trainFlags } from '../../src/cli/train/flags.ts';
import { planOf } from '../../src/cli/train/plan.ts';
import { seriesOf } from '../../src/cli/train/series.ts';
import { flagsOf, takeAsWritten } from '../../src/cli/words.ts';
import { UserError } from '../../src/core/errors.ts';
import { loadDefenses } from '../../src/discover/modules.ts';
import { TORCHVISION } from '../../src/models/define-architecture.ts';
import { buildNetwork, specOf } from '../../src/models/network.ts';
import { SIX } from '../../src/models/registry.ts';
import { weightsOf } from '../../src/models/weights.ts';
import { augmentations } from '../../src/train/augment.ts';
import { TRAINING_DEFAULTS } from '../../src/train/plan.ts';
import { schedules } from '../../src/train/schedule.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/weights/safetensors.ts';
import { picture, put } from '../data/pictures.ts';

const moduleFlags = flagsOfModules([...(await loadDefenses()).values(), ...schedules, ...augmentations]);

const before = process.cwd();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-plan-'));
  process.chdir(folder);
});
afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

type Words = Readonly<Record<string, unknown>>;

const series = (own: Words, ofModules: Words = {}) =>
  seriesOf(withDefaults(trainFlags, parseGiven(trainFlags, own)), parseGiven(moduleFlags, ofModules));

/** Of the first network. */
async function plan(own: Words, ofModules: Words = {}) {
  const [job] = await series(own, ofModules);
  if (job === undefined) return expect.unreachable('there is no network to train');
  return planOf(job.values, parseGiven(moduleFlags, ofModules));
}

async function commands(own: Words, ofModules: Words = {}) {
  const given = new Set(Object.keys(own));
  return (await series(own, ofModules)).map((job) => commandOf(job, given, parseGiven(moduleFlags, ofModules)));
}

describe('the plan of a training', () => {
  it('is the recipe of the bundled checkpoints unless told otherwise', async () => {
    const made = await plan({});
    expect(made).toMatchObject(TRAINING_DEFAULTS);
    expect(made.network).toMatchObject({ arch: 'vgg16', variant: 'small', classes: 10, input: [28, 28, 1] });
    expect([made.defense.name, made.dataset.split, made.epsilon]).toEqual(['standard', 'train', 0.3]);
  });

  it('finds a way of training by its name and by what its networks are called', async () => {
    for (const training of ['pgd-training', 'adversarial']) {
      expect((await plan({ training })).defense.name).toBe('pgd-training');
    }
  });

  it('takes every flag over', async () => {
    const numbers = { epochs: '7', batch: '32', rate: '0.05', momentum: '0.5', seed: '9', epsilon: '8/255', clip: '2' };
    expect(
      await plan({
        ...numbers,
        'weight-decay': '0',
        'label-smoothing': '1/10',
        width: '1/4',
        validation: '0',
        norm: 'l2',
      }),
    ).toMatchObject({
      ...{ epochs: 7, batch: 32, rate: 0.05, momentum: 0.5, seed: 9, epsilon: 8 / 255, weightDecay: 0, norm: 'L2' },
      ...{ labelSmoothing: 0.1, clip: 2 },
      network: { width: 0.25 },
      validation: { images: 0 },
    });
  });

  it('hands parameters to the defense and the schedule they belong to', async () => {
    const made = await plan(
      { training: 'adversarial', schedule: 'cyclic' },
      { 'pgd-training.steps': '3', 'cyclic.peak': '0.2' },
    );
    expect([made.params, made.schedule]).toEqual([{ steps: 3 }, { name: 'cyclic', params: { peak: 0.2 } }]);
  });

  it('refuses parameters of a defense or schedule that takes no part', async () => {
    await expect(plan({}, { 'pgd-training.steps': '3' })).rejects.toThrow(/pgd-training takes no part/);
    await expect(plan({}, { 'cosine.warmUp': '0' })).rejects.toThrow(/cosine takes no part/);
  });

  it('takes a way of training from a file, with its parameters, and states the file', async () => {
    const source = (name: string, training = name) => `import { defineDefense, p } from 'gibbon';
export default defineDefense({
  name: '${name}', title: 'Mine', training: '${training}', paper: 'https://example.org/mine', adversarial: false, params: { share: p.number(0.5, 'share') },
  trainingLoss: ({ x, crossEntropy }) => (model) => { const logits = model(x); return { loss: crossEntropy(logits).mean(), logits }; },
});`;
    await writeFile('mine.ts', source('mine'));
    const shaken = await plan({ training: join(before, 'examples', 'shaken.ts') });
    expect(Object.keys(shaken.defense.params)).toEqual(['share']);
    await writeFile('taken.ts', source('taken', 'adversarial'));
    const [job] = await series({ training: 'mine.ts' });
    expect(job?.out).toBe(join('checkpoints', 'mnist', 'vgg16-mine.safetensors'));
    expect((await plan({ training: 'mine.ts' })).defense).toMatchObject({ name: 'mine', title: 'Mine' });
    expect(await commands({ training: 'mine.ts' })).toEqual(['gibbon train --arch vgg16 --training mine.ts']);
    await expect(series({ training: 'taken.ts' })).rejects.toThrow(
      'taken.ts: there are networks called adversarial already; give its own another `training`',
    );
    await expect(series({ training: 'none.ts' })).rejects.toThrow('none.ts: no such file');
  });

  it('holds out 500 images, but no more than a tenth', async () => {
    for (let i = 0; i < 30; i++) await put(join('shapes', i % 2 === 0 ? 'a' : 'b', `${i}.png`), picture(20, 20, i));
    const made = await plan({ dataset: 'shapes', arch: 'alexnet', batch: '8' });
    expect(made.validation.images).toBe(3);
    expect(made.network).toMatchObject({ input: [64, 64, 3], classes: 2, variant: 'small' });
    expect([made.dataset.classes, made.epsilon, made.batch]).toEqual([['a', 'b'], 8 / 255, 8]);
  });

  it('takes photographs in the size asked for, and in that of the paper for its form', async () => {
    const small = await plan({ dataset: 'shapes', arch: 'alexnet', batch: '8', size: '32' });
    expect(small.network.input).toEqual([32, 32, 3]);
    const large = await plan({ dataset: 'shapes', arch: 'resnet18', form: 'imagenet' });
    expect(large).toMatchObject({ batch: 16, network: { input: [224, 224, 3], variant: 'imagenet', width: 1 } });
  });

  it('normalises by the mean of the training images, or by their deviation too', async () => {
    const { network: mean } = await plan({ normalise: 'mean' });
    expect(mean.normalisation.mean[0]).toBeCloseTo(0.1307, 2);
    expect(mean.normalisation.std).toEqual([1]);
    const { network: standard } = await plan({ normalise: 'standard' });
    expect(standard.normalisation.mean).toEqual(mean.normalisation.mean);
    expect(standard.normalisation.std[0]).toBeCloseTo(0.3081, 2);
    const { network: none } = await plan({ normalise: 'none' });
    expect(none.normalisation).toEqual({ mean: [0], std: [1] });
  });

  it('augments in the order given, with parameters, and gathers statistics where they are needed', async () => {
    const made = await plan({ augment: 'reflection,translation' }, { 'translation.pixels': '2' });
    expect(made.augmentations.map(({ augmentation, params }) => [augmentation.name, params])).toEqual([
      ['reflection', { share: 0.5 }],
      ['translation', { pixels: 2 }],
    ]);
    expect(made.statistics).toBeUndefined();
    expect((await plan({ augment: 'colour' })).statistics?.covariance[0]?.[0]).toBeCloseTo(0.3081 ** 2, 2);
  });

  it.each<[Words, Words, RegExp]>([
    [{ augment: 'reflexion' }, {}, /unknown augmentation "reflexion"\. Did you mean "reflection"\?/],
    [{}, { 'translation.pixels': '2' }, /translation takes no part/],
    [{ augment: 'scale-jitter' }, { 'scale-jitter.least': '2' }, /least is 2; it must not be above most/],
    [{ freeze: true }, {}, /--freeze needs --from/],
    [{ size: '32' }, {}, /--size is for folders of photographs; the images of mnist/],
    [{ from: 'imagenet', width: '0.5' }, {}, /--width has no say with --from/],
    [{ from: 'imagenet', normalise: 'mean' }, {}, /--normalise has no say with --from/],
    [{ from: 'imagnet' }, {}, /--from imagnet: no such file here or in .*Did you mean "imagenet"\?/],
    [{ from: 'a.pth', arch: 'all' }, {}, /--from a\.pth holds the weights of one architecture/],
    [{ from: 'imagenet', arch: 'mobilenet_v1' }, {}, /no public weights for mobilenet_v1/],
    [{ form: 'paper' }, {}, /unknown variant "paper"\. Known: imagenet, small/],
    [{ out: 'mine.pth' }, {}, /--out mine\.pth: a checkpoint is a safetensors file; give it a name/],
    [{ out: 'a.safetensors', arch: 'vgg11,vgg13' }, {}, /--out names one file, and there are 2 networks/],
    [{ arch: 'vgg61' }, {}, /unknown architecture "vgg61"\. Did you mean/],
    [{ dataset: 'minst' }, {}, /unknown dataset "minst"\. Did you mean "mnist"\?/],
    [{ dataset: './nowhere' }, {}, /cannot read \.\/nowhere: no such file/],
    [
      { dataset: 'one' },
      {},
      /one has the class only alone: sort the images into a folder for each class, two at least/,
    ],
    [{ dataset: 'flat' }, {}, /flat has no class folders to learn from/],
    [{ dataset: './mnist' }, {}, /mnist: its network would be taken for one of the dataset mnist; rename the folder/],
    [{ dataset: 'shapes' }, {}, /a batch of 128 does not fit/],
  ])('%j with %j is refused in one line', async (own, ofModules, said) => {
    await put(join('one', 'only', 'a.png'));
    await put(join('flat', 'a.png'));
    for (const name of ['a', 'b']) await put(join('mnist', name, '1.png'));
    const error = await plan(own, ofModules).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(said);
    expect((error as Error).message).not.toContain('\n');
  });
});

describe('the plan of a training that goes on from weights of PyTorch', () => {
  beforeAll(async () => {
    const network = buildNetwork(specOf('mobilenet_v2', 'imagenet', [224, 224, 3], 1000), 3);
    const tensors = new Map<string, StoredTensor>();
    for (const { name, shape, read } of weightsOf(network.model)) {
      tensors.set(name, { dtype: 'F32', shape, data: await read() });
    }
    await writeSafetensors('bare.safetensors', tensors, {});
    network.dispose();
    for (const name of ['cat', 'dog']) {
      for (let i = 0; i < 20; i++) await put(join('pets', name, `${i}.png`), picture(20, 20, i));
    }
  });

  it('has their form, their normalisation and a lower rate, and the classes of the folder', async () => {
    const made = await plan({ from: 'bare.safetensors', arch: 'mobilenet_v2', dataset: 'pets', freeze: true });
    const { sha256 } = await readSafetensors('bare.safetensors');
    expect(made).toMatchObject({
      ...{ rate: 0.01, batch: 16, epsilon: 8 / 255 },
      network: { variant: 'imagenet', width: 1, input: [224, 224, 3], classes: 2, normalisation: TORCHVISION },
      start: { sha256, freeze: true, source: 'bare.safetensors' },
    });
    expect(made.start?.weights.size).toBe(262);
    const own = await plan({
      from: 'bare.safetensors',
      arch: 'mobilenet_v2',
      dataset: 'pets',
      size: '64',
      rate: '0.2',
      batch: '4',
    });
    expect(own).toMatchObject({ rate: 0.2, batch: 4, network: { input: [64, 64, 3] }, start: { freeze: false } });
  });

  it('is refused for another architecture, naming what does not fit', async () => {
    const failing = plan({ from: 'bare.safetensors', arch: 'mobilenet_v1', dataset: 'pets' });
    await expect(failing).rejects.toThrow(/weights in bare\.safetensors do not fit mobilenet_v1 .*is missing/);
    await expect(failing).rejects.toBeInstanceOf(UserError);
    await expect(plan({ from: 'bare.safetensors', arch: 'mobilenet_v2' })).rejects.toThrow(
      /--from bare\.safetensors takes images of 3 channels; mnist has grey images/,
    );
  });
});

describe('a series', () => {
  it('is every architecture in every training, each with the file that it makes', async () => {
    const jobs = await series({ arch: 'all', training: 'standard,adversarial' });
    expect(jobs.map(({ out }) => out)).toEqual(
      SIX.small.flatMap((arch) =>
        ['standard', 'adversarial'].map((training) => join('checkpoints', 'mnist', `${arch}-${training}.safetensors`)),
      ),
    );
    expect((await series({ arch: 'all', form: 'imagenet' })).map(({ values }) => values.arch)).toEqual(SIX.imagenet);
  });

  it('passes over what is there, and goes on with what was interrupted', async () => {
    const made = async (resume: boolean) =>
      (await series({ arch: 'alexnet,vgg16,resnet18', resume })).map(({ isDone, resume: goesOn }) => [isDone, goesOn]);
    await mkdir(join('checkpoints', 'mnist'), { recursive: true });
    await writeFile(join('checkpoints', 'mnist', 'alexnet-standard.safetensors'), '');
    await writeFile(join('checkpoints', 'mnist', 'vgg16-standard.safetensors.state'), '');
    expect(await made(true)).toEqual([
      [true, false],
      [false, true],
      [false, false],
    ]);
    await expect(made(false)).rejects.toThrow(
      /vgg16-standard\.safetensors\.state holds an interrupted training; add --r/,
    );
    // A network asked for by itself is not passed over.
    await expect(series({ arch: 'alexnet' })).rejects.toThrow(/alexnet-standard\.safetensors exists; move it away/);
  });

  beforeAll(async () => {
    for (const name of ['a', 'b']) await put(join('fruit', 'train', name, '1.png'));
  });

  it('keeps the networks of a folder under its name', async () => {
    const [job] = await series({ dataset: join(folder, 'fruit', 'train'), arch: 'alexnet' });
    expect(job?.out).toBe(join('checkpoints', 'fruit', 'alexnet-standard.safetensors'));
  });

  it('states for each network the command that makes it alone', async () => {
    const own = { arch: 'resnet18,densenet121', training: 'standard,adversarial', config: 'zoo.json', quiet: true };
    expect(
      await commands(
        { ...own, epsilon: '0.25', augment: ['reflection', 'translation'] },
        { 'pgd-training.steps': '3' },
      ),
    ).toEqual([
      'gibbon train --arch resnet18 --training standard --augment reflection,translation --epsilon 0.25',
      'gibbon train --arch resnet18 --training adversarial --augment reflection,translation --epsilon 0.25 --pgd-training.steps 3',
      'gibbon train --arch densenet121 --training standard --augment reflection,translation --epsilon 0.25',
      'gibbon train --arch densenet121 --training adversarial --augment reflection,translation --epsilon 0.25 --pgd-training.steps 3',
    ]);
    expect(await commands({ arch: 'vgg11' })).toEqual(['gibbon train --arch vgg11 --training standard']);
    expect(await commands({ arch: 'vgg11', from: 'my nets/a.pth', freeze: true, dataset: './fruit' })).toEqual([
      "gibbon train --arch vgg11 --training standard --dataset ./fruit --from 'my nets/a.pth' --freeze",
    ]);
  });

  it('states commands that are understood as what they came from', async () => {
    const [command = ''] = await commands(
      { arch: 'vgg13', training: 'adversarial', epsilon: '8/255', rate: '0.05' },
      { 'pgd-training.step': 'auto' },
    );
    const words = command.split(' ').slice(2);
    const given = flagsOf(takeAsWritten(words).parseSync());
    expect(parseGiven({ ...trainFlags, ...moduleFlags }, given)).toEqual({
      ...{ arch: ['vgg13'], training: ['adversarial'], epsilon: 8 / 255, rate: 0.05 },
      'pgd-training.step': null,
    });
  });
});
