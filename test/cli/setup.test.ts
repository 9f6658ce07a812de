/** The commands that fetch what is too large for npm, without a network: their hosts are doubles. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { SETUP_VARIABLE } from '../../src/backends/tensorflow-package.ts';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { complaintIn } from '../../src/cli/setup/complaint.ts';
import { setUpCuda } from '../../src/cli/setup/cuda.ts';
import { librariesIn } from '../../src/cli/setup/libraries.ts';
import { replaceFolder } from '../../src/cli/setup/stage.ts';
import { setUpTensorflow } from '../../src/cli/setup/tensorflow.ts';
import { runNpm, runTool } from '../../src/cli/setup/tool.ts';
import { writeAddon } from '../backends/fake-addon.ts';
import { listen } from './workplace.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-setup-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(path: string, text = ''): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

describe('npm run setup:tensorflow', () => {
  const ADDON = '@tensorflow/tfjs-node';
  /** The library's host: what the addon's install script finds there. */
  let libraryIsReached = false;
  let registry: Server;
  let url: string;

  beforeAll(async () => {
    const addon = join(folder, 'addon');
    const install = `
      if (process.env.FAKE_LIBRARY !== 'reached') throw new Error('getaddrinfo ENOTFOUND libraries.example');
      require('fs').writeFileSync(__dirname + '/dist/library', '');`;
    await writeAddon(addon, {
      more: `if (!require('fs').existsSync(__dirname + '/library')) throw new Error('no library');`,
      scripts: { install: 'node install.js' },
    });
    await write(join(addon, 'install.js'), install);
    const manifest = JSON.parse(await readFile(join(addon, 'package.json'), 'utf8')) as { version: string };
    await promisify(execFile)('tar', ['czf', join(folder, 'addon.tgz'), '-C', folder, 'addon']);
    const tarball = await readFile(join(folder, 'addon.tgz'));
    registry = createServer(({ url: path = '' }, response) => {
      if (path.endsWith('.tgz')) return response.end(tarball);
      if (decodeURIComponent(path) !== `/${ADDON}`) return response.writeHead(404).end('{}');
      const version = { ...manifest, dist: { tarball: `${url}/addon.tgz` } };
      const versions = { [manifest.version]: version };
      return response.end(JSON.stringify({ name: ADDON, 'dist-tags': { latest: manifest.version }, versions }));
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
  });
  afterAll(() => registry.close());

  afterEach(() => vi.unstubAllEnvs());

  /** What it prints, or its complaint. */
  async function run(at: string): Promise<string> {
    const environment = {
      [SETUP_VARIABLE]: join(folder, 'made'),
      ...{ npm_config_registry: at, npm_config_cache: join(folder, 'cache'), npm_config_fetch_retries: '0' },
      ...{ npm_config_userconfig: join(folder, 'npmrc'), npm_config_globalconfig: join(folder, 'globalrc') },
      ...{ npm_config_noproxy: '127.0.0.1', FAKE_LIBRARY: libraryIsReached ? 'reached' : 'away' },
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const heard = listen();
    await setUpTensorflow({ libtensorflow: null, gpu: 'no', anew: false }, heard.terminal).catch((error: Error) =>
      heard.out.push(error.message),
    );
    return heard.out.join('\n');
  }
  const made = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith('made'));

  it('says which host was not reached, and leaves nothing', async () => {
    expect(await run('http://127.0.0.1:1')).toMatch(
      /^npm cannot install @tensorflow\/tfjs-node [\d.]+: 127\.0\.0\.1:1 was not reached \(ECONNREFUSED\)\. Nothing was installed/,
    );
    expect(await run(url)).toMatch(
      /^the libraries were not fetched: libraries\.example was not reached \(ENOTFOUND\)\. Nothing was installed\. Try again/,
    );
    expect(await made()).toEqual([]);
  });

  it('installs what works, beside the lock of the project, and then has nothing to do', async () => {
    const lock = await readFile(join(PACKAGE_ROOT, 'package-lock.json'), 'utf8');
    libraryIsReached = true;
    expect(await run(url)).toMatch(
      /^TensorFlow works: 2\.0\.0-fake by @tensorflow\/tfjs-node [\d.]+ on the CPU; a small gradient/,
    );
    expect(await run('http://127.0.0.1:1')).toMatch(/^nothing to do: TensorFlow works: 2\.0\.0-fake/);
    expect(await made()).toEqual(['made']);
    expect(await readFile(join(PACKAGE_ROOT, 'package-lock.json'), 'utf8')).toBe(lock);
  });
});

describe('libraries that the user names', () => {
  it('are an unpacked libtensorflow, or the folder of a wheel', async () => {
    const unpacked = join(folder, 'unpacked');
    await write(join(unpacked, 'include', 'tensorflow', 'c', 'c_api.h'));
    for (const name of ['libtensorflow.so', 'libtensorflow.so.2', 'libtensorflow_framework.so.2'])
      await write(join(unpacked, 'lib', name));
    expect(librariesIn(unpacked, 'linux')).toMatchObject({
      ...{ folder: join(unpacked, 'lib'), main: 'libtensorflow.so.2', framework: 'libtensorflow_framework.so.2' },
    });
    const wheel = join(folder, 'wheel');
    await write(join(wheel, 'include', 'tensorflow', 'c', 'c_api.h'));
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) await write(join(wheel, name));
    expect(librariesIn(wheel, 'linux')).toMatchObject({ folder: wheel, main: 'libtensorflow_cc.so.2' });
  });

  it('are refused with what is missing', async () => {
    await mkdir(join(folder, 'empty'));
    expect(() => librariesIn(join(folder, 'empty'), 'linux')).toThrow(
      /no include\/tensorflow\/c\/c_api\.h, no libtensorflow\.so\.2 or .*, no libtensorflow_framework\.so\.2 in it\. It must be an/,
    );
    expect(() => librariesIn('/nowhere', 'linux')).toThrow('--libtensorflow /nowhere: there is no such folder');
    expect(() => librariesIn(process.execPath, 'linux')).toThrow(/: there is no such folder$/);
    expect(() => librariesIn(folder, 'darwin')).toThrow('--libtensorflow is for Linux');
  });
});

describe('npm run setup:cuda', () => {
  const FILES = ['libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so'];
  /** A package that offers two files, and whose script does this. */
  async function fakePackage(name: string, script: string): Promise<string> {
    const at = join(folder, name);
    const manifest = Object.fromEntries(FILES.map((file) => [`./${file}`, {}]));
    const metadata = {
      requirements: { 'linux/x64': ['cuda12'], 'win32/x64': [] },
      manifests: { 'linux/x64:cuda12': manifest },
    };
    await write(join(at, 'package.json'), '{}');
    await write(join(at, 'bin', 'napi-v6', 'linux', 'x64', 'onnxruntime_binding.node'));
    await write(join(at, 'script', 'install-metadata.js'), `module.exports = ${JSON.stringify(metadata)}`);
    await write(join(at, 'script', 'install.js'), script);
    return at;
  }
  const fetching = (files: readonly string[]): string => `
    const fs = require('fs'), path = require('path');
    if (process.env.ONNXRUNTIME_NODE_INSTALL !== 'true') process.exit(0);
    const place = path.join(__dirname, '../bin/napi-v6/linux/x64');
    fs.mkdirSync(place, { recursive: true });
    for (const file of ${JSON.stringify(files)}) fs.writeFileSync(path.join(place, file), String(process.pid));`;
  const place = (at: string): string => join(at, 'bin', 'napi-v6', 'linux', 'x64');
  const works = async () => ({ well: true, said: 'chatter\nworks: a small gradient agrees with the reference' });

  it('fetches once, tries, and then has nothing to do', async () => {
    const at = await fakePackage('whole', fetching(FILES));
    const heard = listen();
    const asked = { folder: at, machine: 'linux/x64', anew: false, attempt: works };
    expect(await setUpCuda(asked, heard.terminal)).toBe(0);
    const written = await readFile(join(place(at), FILES[0] ?? ''), 'utf8');
    expect(await setUpCuda(asked, heard.terminal)).toBe(0);
    expect(await readFile(join(place(at), FILES[0] ?? ''), 'utf8')).toBe(written);
    expect(heard.out).toEqual([
      'CUDA works: a small gradient agrees with the reference',
      'nothing to do: CUDA works: a small gradient agrees with the reference',
    ]);
    expect(await readdir(at)).toEqual(['bin', 'package.json', 'script']);
  });

  it.each([
    [
      'a host that is not reached',
      `throw new Error('getaddrinfo ENOTFOUND api.nuget.org')`,
      'api.nuget.org was not reached',
    ],
    ['half of the files', fetching(FILES.slice(0, 1)), 'Nothing was installed'],
  ])('leaves nothing of %s', async (name, script, reason) => {
    const at = await fakePackage(name.replaceAll(' ', '-'), script);
    const asked = { folder: at, machine: 'linux/x64', anew: false, attempt: works };
    await expect(setUpCuda(asked, listen().terminal)).rejects.toThrow(reason);
    expect(await readdir(place(at))).toEqual(['onnxruntime_binding.node']);
    expect(await readdir(at)).toEqual(['bin', 'package.json', 'script']);
  });

  it.each([
    ['libcublasLt.so.12: cannot open shared object file', 'install the CUDA 12 toolkit'],
    ['libcudnn.so.9: cannot open shared object file', 'install cuDNN 9'],
    ['CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version', 'install a driver of NVIDIA'],
    ['CUDA failure 100: no CUDA-capable device is detected', 'there is no graphics processor of NVIDIA'],
    ['something else', 'it needs a graphics processor of NVIDIA'],
  ])('says what CUDA lacks: %s', async (why, advice) => {
    const at = await fakePackage(`lacking-${advice.length}-${why.length}`, fetching(FILES));
    const said = `gibbon: --backend onnx-cuda does not work here (${why}); --backend onnx-cpu does\n`;
    const asked = { folder: at, machine: 'linux/x64', anew: false, attempt: async () => ({ well: false, said }) };
    const done = setUpCuda(asked, listen().terminal);
    await expect(done).rejects.toThrow(`(${why}); --backend onnx-cpu does; ${advice}`);
    expect(existsSync(join(place(at), FILES[1] ?? ''))).toBe(true);
  });

  it('refuses machines for which there are none', async () => {
    const at = await fakePackage('elsewhere', '');
    const asked = { folder: at, machine: 'win32/x64', anew: false, attempt: works };
    await expect(setUpCuda(asked, listen().terminal)).rejects.toThrow('to linux/x64, and this is win32/x64');
  });
});

describe('a folder that is replaced', () => {
  it('stays as it was if its successor fails, and nothing of that is left', async () => {
    const at = join(folder, 'replaced');
    const file = await write(join(at, 'file'), 'old');
    const failing = replaceFolder(at, async (stage) => {
      await write(join(stage, 'file'), 'new');
      throw new Error('in the middle');
    });
    await expect(failing).rejects.toThrow('in the middle');
    expect(await readFile(file, 'utf8')).toBe('old');
    // So it does where nothing came that could take its place.
    await expect(replaceFolder(at, (stage) => rm(stage, { recursive: true }))).rejects.toThrow(`cannot write ${at}`);
    expect(await readFile(file, 'utf8')).toBe('old');
    // What processes that were killed left there goes too, be it of this one's number.
    for (const pid of [999999999, process.pid])
      for (const ending of ['tmp', 'tmp.old']) await write(join(`${at}.${pid}.${ending}`, 'left'));
    await replaceFolder(at, async (stage) => void (await write(join(stage, 'file'), 'new')));
    expect(await readFile(file, 'utf8')).toBe('new');
    expect(await readdir(at)).toEqual(['file']);
    expect((await readdir(folder)).filter((name) => name.startsWith('replaced'))).toEqual(['replaced']);
  });
});

describe('why another program failed', () => {
  it.each([
    [
      'npm error network request to https://registry.npmjs.org/x failed, reason: getaddrinfo ENOTFOUND registry.npmjs.org',
      'registry.npmjs.org was not reached (ENOTFOUND)',
    ],
    ['Error: connect ETIMEDOUT 10.0.0.1:443', '10.0.0.1:443 was not reached (ETIMEDOUT)'],
    [
      'gyp info\n../a.cc:1:10: fatal error: c_api.h: No such file\ngyp ERR! not ok',
      '../a.cc:1:10: fatal error: c_api.h: No such file',
    ],
    ['gyp ERR! stack Error: not found: make\ngyp ERR! not ok', 'gyp ERR! stack Error: not found: make'],
    ['', 'it said nothing'],
  ])('is one sentence out of %j', (said, reason) => {
    expect(complaintIn(said)).toBe(reason);
  });

  it('is also that it is not there', async () => {
    expect(await runTool('no-such-program', [], { folder })).toMatchObject({ well: false });
    expect((await runNpm(['--version'], { folder })).said).toMatch(/^\d+\./);
  });
});
