import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { soleUse } from '../../src/core/sole-use.ts';

let folder: string;
let path: string;
let lock: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-sole-'));
  path = join(folder, 'journal.ndjson');
  lock = `${path}.lock`;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process of its own that claims the file and does not let it go. */
async function claimedApart() {
  const module = join(import.meta.dirname, '../../src/core/sole-use.ts');
  const program = `import { soleUse } from ${JSON.stringify(module)}; await soleUse(${JSON.stringify(path)}); console.log('mine'); setInterval(() => 0, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

const longAgo = (seconds: number): Date => new Date(Date.now() - 1000 * seconds);

describe('a file that one process writes', () => {
  it('is refused to another, which is told whose it is, and nothing is left when it is done', async () => {
    const leave = await soleUse(path);
    await expect(soleUse(path)).rejects.toThrow(
      `${path} is being written by another process (${process.pid}): wait for its end, or end it. If there is none, delete ${lock}`,
    );
    await leave();
    expect(await readdir(folder)).toEqual([]);
    await (await soleUse(path))();
  });

  it('is free again as soon as its process is killed', async () => {
    const child = await claimedApart();
    await expect(soleUse(path)).rejects.toThrow(`another process (${child.pid})`);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(await readdir(folder)).toEqual(['journal.ndjson.lock']);
    await (await soleUse(path))();
    expect(await readdir(folder)).toEqual([]);
  });

  it('stays with a process that is late, and not with one of the same number', async () => {
    const leave = await soleUse(path);
    await utimes(lock, longAgo(3600), longAgo(3600));
    await expect(soleUse(path)).rejects.toThrow(`another process (${process.pid})`);
    const own = JSON.parse(await readFile(lock, 'utf8'));
    if (own.started !== null) {
      await writeFile(lock, JSON.stringify({ ...own, started: '1', claim: 1 }));
      await (await soleUse(path))();
    }
    await leave();
    expect(await readdir(folder)).toEqual([]);
  });

  it('goes to one of many that find a dead lock at once', async () => {
    await writeFile(lock, JSON.stringify({ pid: 2 ** 30, started: '1', host: hostname(), claim: 1 }));
    const claims = await Promise.allSettled(Array.from({ length: 8 }, () => soleUse(path)));
    const won = claims.filter((claim) => claim.status === 'fulfilled');
    expect(won.length).toBe(1);
    for (const { value: leave } of won) await leave();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is free if its lock was torn, or is old', async () => {
    for (const content of ['', '{"pid":', '{"pid":-1}', '{"pid":"1"}', 'null', `{"pid":0,"host":"${hostname()}"}`]) {
      await writeFile(lock, content);
      await utimes(lock, longAgo(20), longAgo(20));
      await (await soleUse(path))();
    }
    await writeFile(lock, '');
    await expect(soleUse(path)).rejects.toThrow('another process (which begins just now)');
    await writeFile(lock, '{"pid":1,"started":null,"host":"elsewhere","claim":1}');
    await expect(soleUse(path)).rejects.toThrow('another process (1 on elsewhere)');
    await utimes(lock, longAgo(3600), longAgo(3600));
    await (await soleUse(path))();
    expect(await readdir(folder)).toEqual([]);
  });

  it('stays with whoever took it over', async () => {
    const leave = await soleUse(path);
    await writeFile(lock, 'somebody else’s');
    await leave();
    expect(await readFile(lock, 'utf8')).toBe('somebody else’s');
  });

  it.skipIf(process.getuid?.() === 0)('in a folder that cannot be written is one line that says so', async () => {
    await chmod(folder, 0o500);
    await expect(soleUse(path)).rejects.toThrow(`cannot write ${lock}: permission denied`);
    await chmod(folder, 0o700);
  });

  it('may be in a folder that is still to be made', async () => {
    const leave = await soleUse(join(folder, 'new', 'newer', 'state'));
    expect(await readdir(join(folder, 'new', 'newer'))).toEqual(['state.lock']);
    await leave();
    await writeFile(join(folder, 'file'), '');
    await expect(soleUse(join(folder, 'file', 'state'))).rejects.toThrow('file is a file, not a folder');
  });
});
