import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { downloadOf, obtain } from '../../src/weights/download.ts';
import { fetchPart, type Progress } from '../../src/weights/fetch-part.ts';

const CONTENT = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
const ETAG = '"one"';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that knows ranges, and what it was asked for. */
const asked: IncomingMessage['headers'][] = [];
let answer: Answer;
const server = createServer((request, response) => {
  asked.push(request.headers);
  answer(request, response);
});
let base: string;

const HONEST: Answer = ({ headers }, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const goesOn = start > 0 && (headers['if-range'] ?? ETAG) === ETAG;
  if (goesOn && start >= CONTENT.length) return void response.writeHead(416).end();
  const range = goesOn ? { 'content-range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` } : {};
  const rest = goesOn ? CONTENT.subarray(start) : CONTENT;
  response.writeHead(goesOn ? 206 : 200, { etag: ETAG, 'content-length': rest.length, ...range }).end(rest);
};

/** Says how long the file is, sends its beginning, and is gone. */
const BREAKS: Answer = (_request, response) => {
  response.writeHead(200, { etag: ETAG, 'content-length': CONTENT.length });
  response.write(CONTENT.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50));
};

const before = process.env.GIBBON_HOME;
let home: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  if (before === undefined) delete process.env.GIBBON_HOME;
  else process.env.GIBBON_HOME = before;
});
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gibbon-home-'));
  process.env.GIBBON_HOME = home;
  asked.length = 0;
  answer = HONEST;
  return () => rmSync(home, { recursive: true });
});

const download = (sha256?: string) => ({ url: `${base}/file.pth`, file: 'file.pth', ...(sha256 && { sha256 }) });
const place = (name = 'file.pth'): string => join(home, name);

it('the beginning of an older version is gone before the newer one is noted', async () => {
  const part = join(home, 'net.pth.part');
  writeFileSync(part, 'old');
  // Where the note should be is a folder: as after a crash, nothing is written from there on.
  mkdirSync(`${part}.json`);
  const fetch = async () => new Response('new', { headers: { etag: '"two"' } });
  await expect(fetchPart('https://example.org/net.pth', part, { fetch }, false)).rejects.toThrow(/EISDIR/);
  expect(existsSync(part)).toBe(false);
});

describe('a file to obtain', () => {
  it.each([undefined, SHA256, SHA256.slice(0, 8), SHA256.slice(0, 8).toUpperCase()])(
    'with the checksum %s is downloaded once, and nothing else is left',
    async (sha256) => {
      const seen: Progress[] = [];
      const path = await obtain(download(sha256), { onProgress: (progress) => seen.push(progress) });
      expect(path).toBe(place());
      expect(readFileSync(path).equals(CONTENT)).toBe(true);
      expect(readdirSync(home)).toEqual(['file.pth']);
      expect(seen[0]).toEqual({ done: 0, total: CONTENT.length });
      expect(seen.at(-1)).toEqual({ done: CONTENT.length, total: CONTENT.length });
      expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
      expect(await obtain(download(sha256))).toBe(path);
      expect(asked).toHaveLength(1);
    },
  );

  it('that was put there by hand is used, and checked', async () => {
    writeFileSync(place(), CONTENT);
    expect(await obtain(download(SHA256))).toBe(place());
    writeFileSync(place(), 'another');
    await expect(obtain(download(SHA256))).rejects.toThrow(
      /not what it should be: its SHA-256 begins with .* Remove it/,
    );
    expect(readFileSync(place(), 'utf8')).toBe('another');
    expect(asked).toEqual([]);
  });

  it('in a folder of the home makes that folder', async () => {
    const path = await obtain({ ...download(SHA256), file: 'cifar10/batches.bin' });
    expect(path).toBe(place(join('cifar10', 'batches.bin')));
    expect(existsSync(path)).toBe(true);
  });

  it('of a length that the server does not say is downloaded all the same', async () => {
    answer = (_request, response) => {
      response.write(CONTENT.subarray(0, 10));
      response.end(CONTENT.subarray(10));
    };
    const seen: Progress[] = [];
    await obtain(download(SHA256), { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ done: CONTENT.length, total: undefined });
  });
});

describe('a download that was interrupted', () => {
  it.each([undefined, SHA256])('goes on from where it was (checksum: %s)', async (sha256) => {
    answer = BREAKS;
    await expect(obtain(download(sha256))).rejects.toThrow(/stopped after 100000 of 300000 bytes, which are kept/);
    expect(existsSync(place())).toBe(false);
    answer = HONEST;
    const seen: Progress[] = [];
    await obtain(download(sha256), { onProgress: (progress) => seen.push(progress) });
    expect(asked[1]).toMatchObject({ range: 'bytes=100000-', 'if-range': ETAG });
    expect(seen[0]).toEqual({ done: 100_000, total: CONTENT.length });
    expect(readFileSync(place()).equals(CONTENT)).toBe(true);
    expect(readdirSync(home)).toEqual(['file.pth']);
  });

  it('starts anew where the server ignores ranges', async () => {
    writeFileSync(place('file.pth.part'), 'some other beginning');
    answer = (_request, response) => response.end(CONTENT);
    await obtain(download(SHA256));
    expect(asked).toHaveLength(1);
    expect(readFileSync(place()).equals(CONTENT)).toBe(true);
  });

  it('starts anew where the file has changed since', async () => {
    writeFileSync(place('file.pth.part'), 'the beginning of yesterday');
    writeFileSync(place('file.pth.part.json'), JSON.stringify({ url: download().url, validator: '"yesterday"' }));
    await obtain(download());
    expect(asked[0]).toMatchObject({ 'if-range': '"yesterday"' });
    expect(readFileSync(place()).equals(CONTENT)).toBe(true);
  });

  it('starts anew where nothing would tell whether the rest belongs to the beginning', async () => {
    writeFileSync(place('file.pth.part'), CONTENT.subarray(0, 1000));
    writeFileSync(place('file.pth.part.json'), '{"url": "https://elsewhere.org/", "validator": "x"}');
    await obtain(download());
    expect(asked[0]).not.toHaveProperty('range');
  });

  it('starts anew where the server has not so much', async () => {
    writeFileSync(place('file.pth.part'), Buffer.concat([CONTENT, CONTENT]));
    await obtain(download(SHA256));
    expect(asked).toHaveLength(2);
    expect(readFileSync(place()).equals(CONTENT)).toBe(true);
  });

  it('starts anew where the server sends another part than it was asked for', async () => {
    writeFileSync(place('file.pth.part'), CONTENT.subarray(0, 1000));
    answer = ({ headers }, response) => {
      if (headers.range === undefined) return void response.end(CONTENT);
      response.writeHead(206, { 'content-range': `bytes 5-9/${CONTENT.length}` }).end('wrong');
    };
    await obtain(download(SHA256));
    expect(readFileSync(place()).equals(CONTENT)).toBe(true);
  });

  it('by the user keeps what has come, and says what the user said', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const stop = ({ done }: Progress) => done > 0 && controller.abort(reason);
    answer = (_request, response) => {
      response.writeHead(200, { etag: ETAG, 'content-length': CONTENT.length });
      response.write(CONTENT.subarray(0, 1000));
    };
    await expect(obtain(download(), { onProgress: stop, signal: controller.signal })).rejects.toBe(reason);
    answer = HONEST;
    await obtain(download());
    expect(asked[1]).toMatchObject({ range: 'bytes=1000-' });
  });
});

describe('a file that cannot be had', () => {
  /** One line with the URL, the place for the file, and what runs without it. */
  async function expectOneLine(reading: Promise<unknown>, message: RegExp): Promise<void> {
    const error = await reading.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    const line = (error as UserError).message;
    expect(line).toMatch(message);
    expect(line).toContain(place());
    expect(line).not.toContain('\n');
  }
  const HINT =
    /Try again, or get it in another way and put it at .*; --dataset mnist runs with the networks that come with Gibbon$/;

  it('because it is a wrong one is removed', async () => {
    answer = (_request, response) => response.end('<html>log in first</html>');
    await expectOneLine(
      obtain(download(SHA256)),
      /sent a wrong or damaged file, which was removed: its SHA-256 begins with/,
    );
    expect(readdirSync(home)).toEqual([]);
  });

  it('because the server has none: its answer', async () => {
    answer = (_request, response) => response.writeHead(404).end('nothing here');
    await expectOneLine(obtain(download()), /cannot download http:.*\/file.pth: the server answers 404 Not Found\. /);
    await expectOneLine(obtain(download()), HINT);
    expect(readdirSync(home)).toEqual([]);
  });

  it('because there is no server: why', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const nowhere = { ...download(), url: `http://127.0.0.1:${(gone.address() as AddressInfo).port}/file.pth` };
    await new Promise((resolve) => gone.close(resolve));
    await expectOneLine(obtain(nowhere), /cannot download http:\/\/127.0.0.1:\d+\/file.pth: connect ECONNREFUSED/);
    await expectOneLine(obtain({ ...nowhere, without: 'all else works' }), /; all else works$/);
  });

  it('because its way is not encrypted, or leads out of it', async () => {
    const open = { ...download(), url: 'http://example.org/file.pth' };
    const never = () => Promise.reject(new Error('nothing may be sent'));
    await expectOneLine(
      obtain(open, { fetch: never }),
      /cannot download http:\/\/example.org\/file.pth: it is not HTTPS/,
    );
    for (const location of ['http://example.org/x', 'file:///etc/passwd', 'ftp://example.org/x']) {
      answer = (_request, response) => response.writeHead(302, { location }).end();
      await expectOneLine(obtain(download()), /it leads to .*, which is not HTTPS/);
    }
    const toLocal = async () => new Response(null, { status: 302, headers: { location: `${base}/x` } });
    const secure = { ...download(), url: 'https://example.org/file.pth' };
    await expectOneLine(obtain(secure, { fetch: toLocal }), /it leads to .*, which is not HTTPS/);
    expect(asked).toHaveLength(3);
  });

  it('because it leads in a circle', async () => {
    answer = (_request, response) => response.writeHead(302, { location: '/again' }).end();
    await expectOneLine(obtain(download()), /more than 10 redirects/);
  });

  it('though a redirect alone is no hindrance', async () => {
    answer = (request, response) =>
      request.url === '/file.pth'
        ? void response.writeHead(301, { location: '/moved' }).end()
        : HONEST(request, response);
    expect(readFileSync(await obtain(download(SHA256))).equals(CONTENT)).toBe(true);
  });
});

describe('a URL of the user', () => {
  it('has a place of its own, whose name is safe', () => {
    const { file } = downloadOf('https://example.org/a/model.pth?version=2');
    expect(file).toMatch(/^[0-9a-f]{8}-model\.pth$/);
    expect(downloadOf('https://example.org/b/model.pth').file).not.toBe(file);
    for (const url of ['https://x.org/..%2F..%2Fetc', 'https://x.org/a/..', 'https://x.org', 'https://x.org/%00']) {
      expect(downloadOf(url).file).toMatch(/^[0-9a-f]{8}-[\w.-]+$/);
    }
    expect(() => downloadOf('not a URL')).toThrow(UserError);
  });
});
