/** What `train` makes of colour photographs by every way, and of what cannot be learned from, from the command line. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { loadCheckpoint } from '../../src/models/checkpoint.ts';
import { picture, put } from '../data/pictures.ts';
import { inWorkplace, listen } from './workplace.ts';

inWorkplace();

const CLASSES = ['dawn', 'dusk'];
const EACH = 6;

beforeAll(async () => {
  for (const [kind, name] of CLASSES.entries()) {
    for (let i = 0; i < EACH; i++) await put(join('photos', name, `${i}.png`), picture(24, 20, 9 * kind + i));
  }
});

/** Two batches an epoch, of 16x16 pixels. */
const SMALL = ['--arch', 'vgg11', '--width', '1/64', '--size', '16', '--batch', '6', '--quiet'];

async function train(dataset: string, ...words: string[]) {
  const heard = listen();
  return { code: await main(['train', ...SMALL, '--dataset', dataset, ...words], heard.terminal), ...heard };
}

describe('gibbon train', () => {
  it('learns from colour photographs by every way', async () => {
    const ways = ['fgsm-rs', 'n-fgsm', 'free', 'trades', 'mart', 'awp'];
    const few = ['trades', 'mart', 'awp'].flatMap((way) => [`--${way}.steps`, '1']);
    const { code, err } = await train(
      'photos',
      '--training',
      ways.join(),
      '--validation',
      '0',
      '--epochs',
      '1',
      ...few,
    );
    expect(err.filter((line) => !line.startsWith('wrote '))).toEqual([]);
    expect(code).toBe(0);
    for (const way of ways) {
      const { metadata } = await loadCheckpoint(join('checkpoints', 'photos', `vgg11-${way}.safetensors`));
      expect(metadata).toMatchObject({ training: way, classes: CLASSES });
      expect(metadata.record?.history[0]?.batches).toBe(way === 'free' ? 16 : 2);
    }
  });

  it('says in one line that a folder holds nothing to learn from, and leaves nothing', async () => {
    await mkdir('empty');
    await cp(join('photos', 'dawn'), join('alone', 'dawn'), { recursive: true });
    for (const [dataset, message] of [
      ['empty', /^gibbon: empty has no image: there is no file in it$/],
      ['alone', /^gibbon: alone has the class dawn alone: sort the images into a folder for each class, two at least$/],
    ] as const) {
      const { code, out, err } = await train(dataset, '--out', join('made', `${dataset}.safetensors`));
      expect(err.join('\n')).toMatch(message);
      expect([code, out, existsSync('made')]).toEqual([1, [], false]);
    }
  });

  it.each([
    [
      'draws',
      'const z = model(x.add(tf.randomNormal(x.shape))); return { loss: crossEntropy(z).mean(), logits: z };',
      /^gibbon: draws\.ts cannot be compiled: random numbers .*Take them from context\.noise$/,
    ],
    [
      'vector',
      'const z = model(x); return { loss: crossEntropy(z), logits: z };',
      /^gibbon: vector\.ts: training vector: .* gives as loss is of the shape \[\d\]; it must be a scalar, such as a mean/,
    ],
    [
      'silent',
      'return { loss: crossEntropy(model(x)).mean() };',
      /^gibbon: silent\.ts: training silent: .* gives as logits is no tensor; it must be what the model gave, \[images, classes\]$/,
    ],
    ['broken', "throw new Error('no luck');", /^gibbon: broken\.ts cannot be compiled: no luck$/],
  ])('says in one line what is wrong with a way of training that a user wrote: %s', async (name, body, message) => {
    const source = `import { defineDefense, tf } from 'gibbon';
export default defineDefense({
  name: '${name}', title: 'Mine', paper: 'https://example.org/mine', adversarial: false, params: {},
  trainingLoss: ({ x, crossEntropy }) => (model) => { ${body} },
});`;
    await writeFile(`${name}.ts`, source);
    const { code, err } = await train(
      'photos',
      '--training',
      `${name}.ts`,
      '--backend',
      'onnx-cpu',
      '--validation',
      '0',
    );
    expect(err).toEqual([expect.stringMatching(message)]);
    expect(code).toBe(1);
  });

  it('names the ways of training where there is no such one, and nothing else', async () => {
    const { err } = await train('photos', '--training', 'pgd');
    expect(err.join()).toMatch(/unknown training "pgd"\. Did you mean "pgd-training"\? Known: (?!.*jpeg).*adversarial/);
  });

  it('ends a training whose rate is absurd in one line, with the last good state beside it', async () => {
    const out = join('absurd', 'net.safetensors');
    const { code, err } = await train('photos', '--rate', '1e6', '--epochs', '9', '--validation', '0', '--out', out);
    expect(err.join('\n')).toMatch(
      /^gibbon: the (loss is|weights are \(.+\)) no longer a number at epoch \d, batch \d of 2: lower the learning rate .*$/,
    );
    expect(code).toBe(1);
    expect(readdirSync('absurd').sort()).toEqual(
      expect.arrayContaining(['net.safetensors.failure.json', 'net.safetensors.state']),
    );
    expect(readdirSync('absurd').filter((name) => /tmp|net\.safetensors$/.test(name))).toEqual([]);
    const { ids } = JSON.parse(readFileSync(`${out}.failure.json`, 'utf8'));
    expect(ids).toHaveLength(6);
    for (const id of ids) expect(existsSync(join('photos', id))).toBe(true);
  });
});
