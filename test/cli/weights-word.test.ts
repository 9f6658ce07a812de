import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ResolveOptions, resolveWeights } from '../../src/cli/weights-word.ts';
import { UserError } from '../../src/core/errors.ts';
import type { Fetch } from '../../src/weights/secure-request.ts';

const before = { home: process.env.GIBBON_HOME, folder: process.cwd() };
let folder: string;
let home: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-word-'));
  home = join(folder, 'home');
  process.env.GIBBON_HOME = home;
  await mkdir(join(folder, 'here'));
  await mkdir(home);
  await mkdir(join(folder, 'here', 'nets'));
  for (const file of ['here/mine.pth', 'here/both.pth', 'home/both.pth', 'home/kept.pth', 'outside.pth']) {
    await writeFile(join(folder, file), file);
  }
  process.chdir(join(folder, 'here'));
});
afterAll(async () => {
  process.chdir(before.folder);
  if (before.home === undefined) delete process.env.GIBBON_HOME;
  else process.env.GIBBON_HOME = before.home;
  await rm(folder, { recursive: true });
});

/** Notes what it is asked for, and has nothing. */
function server() {
  const asked: string[] = [];
  const fetch: Fetch = async (url) => {
    asked.push(String(url));
    return new Response('gone', { status: 404 });
  };
  return { asked, fetch };
}

const refusal = (word: string, options: ResolveOptions = {}, arch: string | undefined = 'vgg16'): Promise<unknown> =>
  resolveWeights(word, arch, options).then(
    (path) => expect.unreachable(`${word} is ${path}`),
    (error: unknown) => error,
  );

describe('a word for weights', () => {
  it('is a file below the working folder, or else in the home', async () => {
    expect(await resolveWeights('mine.pth', 'vgg16', {})).toBe('mine.pth');
    expect(await resolveWeights('both.pth', undefined, {})).toBe('both.pth');
    expect(await resolveWeights('kept.pth', undefined, {})).toBe(join(home, 'kept.pth'));
    expect(await resolveWeights('../outside.pth', undefined, {})).toBe('../outside.pth');
  });

  it('does not lead out of the home', async () => {
    await rm(join(folder, 'outside.pth'));
    await writeFile(join(home, '..', 'beside.pth'), '');
    process.chdir(join(folder, 'here', 'nets'));
    expect(await refusal('../beside.pth')).toMatchObject({
      message: expect.stringMatching(/no such file here\. Give/),
    });
    process.chdir(join(folder, 'here'));
  });

  it('that is nothing is refused in one line, with what may have been meant', async () => {
    const error = await refusal('imagnet', { flag: '--from' });
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      kind: 'usage',
      message: `--from imagnet: no such file here or in ${home}. Did you mean "imagenet"?`,
    });
    expect(await refusal('nets')).toMatchObject({ kind: 'usage' });
  });

  it('names published weights by version, for architectures that have some', async () => {
    const { asked, fetch } = server();
    expect(await refusal('imagenet', { fetch })).toBeInstanceOf(UserError);
    expect(asked).toEqual([expect.stringMatching(/\/vgg16-397923af\.pth$/)]);
    expect(await refusal('imagenet-v2', { fetch })).toMatchObject({ message: expect.stringMatching(/imagenet-v2/) });
    expect(await refusal('imagenet', { fetch }, 'mobilenet_v1')).toMatchObject({
      message: expect.stringMatching(/no public weights for mobilenet_v1/),
    });
    expect(asked).toHaveLength(1);
  });

  it('that cannot be fetched is told with what works without it: digits to attack, nothing to train from', async () => {
    const { fetch } = server();
    const said = (flag: string): Promise<unknown> => refusal('imagenet', { fetch, flag });
    expect(await said('--weights')).toMatchObject({ message: expect.stringMatching(/; --dataset mnist runs with /) });
    expect(await said('--from')).toMatchObject({
      message: expect.stringMatching(/; without --from, a network learns /),
    });
  });

  it('that is the URL of published weights means those, by name and checksum', async () => {
    await writeFile(join(home, 'resnet18-f37072fd.pth'), 'not it');
    const url = 'https://download.pytorch.org/models/resnet18-f37072fd.pth';
    expect(await refusal(url)).toMatchObject({ message: expect.stringMatching(/not f37072fd/) });
  });

  it('that is another URL is downloaded under a name of its own', async () => {
    const fetch: Fetch = async () => new Response('weights', { headers: { 'content-length': '7' } });
    const path = await resolveWeights('https://example.org/model.pth?v=1', undefined, { fetch });
    expect(path).toMatch(/[0-9a-f]{8}-model\.pth$/);
    expect(path.startsWith(home)).toBe(true);
  });
});
