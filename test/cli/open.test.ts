import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFile } from '../../src/cli/open.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-open-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true }));

/** The desktop's own program, replaced by one that notes what it is asked to open, and ends so. */
async function desktop(code: number): Promise<string> {
  const [bin, notes] = [join(folder, `bin-${code}`), join(folder, `notes-${code}`)];
  await mkdir(bin);
  const program = join(bin, 'xdg-open');
  await writeFile(
    program,
    `#!/bin/sh\nprintf '%s|' "$#" "$@" > '${notes}.part'\nmv '${notes}.part' '${notes}'\nexit ${code}\n`,
  );
  await chmod(program, 0o755);
  vi.stubEnv('PATH', [bin, process.env.PATH].join(delimiter));
  return notes;
}

describe.skipIf(process.platform !== 'linux')('a report that is to be opened', () => {
  it('is given to the desktop as one word, whatever stands in its path', async () => {
    const notes = await desktop(0);
    const path = "runs/it's $(here); & 50 %/report.html";
    openFile(path, () => expect.unreachable());
    expect(await vi.waitFor(() => readFile(notes, 'utf8'))).toBe(`1|${path}|`);
  });

  it('says so where the desktop cannot open it, and where there is no desktop', async () => {
    await desktop(3);
    await new Promise<void>((resolve) => openFile('report.html', resolve));
    vi.stubEnv('PATH', folder);
    await new Promise<void>((resolve) => openFile('report.html', resolve));
  });
});
