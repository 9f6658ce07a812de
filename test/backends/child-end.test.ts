import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { programBeside } from '../../src/core/child-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'gibbon-child-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CHILD_END = new URL('../../src/backends/child-end.ts', import.meta.url).href;

it.skipIf(process.platform === 'win32')('a process goes with the one that began it, which a signal ends', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  // What outlives its parent says so, in the end.
  const child = join(folder, 'child.mjs');
  writeFileSync(
    child,
    `const socket = (await import('node:net')).connect(${port}); setTimeout(() => socket.end('late'), 30_000);`,
  );
  const parent = join(folder, 'parent.mjs');
  const program = JSON.stringify({ script: child, execArgv: [] });
  writeFileSync(
    parent,
    `import { childEnd } from '${CHILD_END}'; await childEnd(${program}, [], { limitSeconds: 100 });`,
  );
  const { execArgv } = programBeside(import.meta.url, 'parent');
  const began = spawn(process.execPath, [...execArgv, parent], { stdio: 'inherit' });
  try {
    const [socket] = (await once(server, 'connection')) as [Socket];
    let said = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const isGone = Promise.all([once(socket, 'close'), once(began, 'exit')]);
    began.kill('SIGTERM');
    const [, [, signal]] = await isGone;
    expect([said, signal]).toEqual(['', 'SIGTERM']);
  } finally {
    began.kill('SIGKILL');
    server.close();
  }
});
