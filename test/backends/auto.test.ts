import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Trial, tryAll, verdictsHere } from '../../src/backends/auto.ts';
import { choiceInWords, choose, LEAD } from '../../src/backends/choose.ts';
import { BACKENDS_FILE } from '../../src/backends/known-verdicts.ts';
import { type Machine, machineHere, mayHaveGraphics } from '../../src/backends/machine.ts';
import type { BackendName } from '../../src/backends/names.ts';
import { addonStamp, SETUP_VARIABLE } from '../../src/backends/tensorflow-package.ts';
import type { Verdict } from '../../src/backends/verdict.ts';
import { fakeSetup, writeAddon } from './fake-addon.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gibbon-auto-'));
  vi.stubEnv(SETUP_VARIABLE, '/nowhere');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const works = (backend: BackendName, stepSeconds: number): Verdict => ({
  ...{ state: 'works', backend, difference: 1e-7, stepSeconds },
});
const CPU = works('onnx-cpu', 0.02);
const CRASH: Verdict = { state: 'crashed', backend: 'onnx-cuda', why: 'SIGSEGV' };
const ABSENT: Verdict = { state: 'unavailable', backend: 'onnx-webgpu', why: 'no adapter' };

describe('auto', () => {
  it('takes the fastest that works, and says how much faster it is', () => {
    const table = [CPU, works('onnx-webgpu', 0.005), works('onnx-cuda', 0.004)];
    expect(choose(table)).toBe('onnx-cuda');
    expect(choiceInWords(table)).toBe('auto: onnx-cuda (5.0 times as fast as onnx-cpu)');
  });

  it('does not take what is wrong, however fast, and says what it is', () => {
    const table: Verdict[] = [CPU, { state: 'wrong', backend: 'onnx-webgpu', difference: 0.3 }, CRASH];
    expect(choose(table)).toBe('onnx-cpu');
    expect(choiceInWords(table)).toMatch(
      /^auto: onnx-cpu; onnx-webgpu computes something else \(a .* by 3\.0e-1 .*\); onnx-cuda crashes \(SIGSEGV\)$/,
    );
  });

  it('says nothing where the processor is taken and nothing went wrong', () => {
    expect(choiceInWords([])).toBeUndefined();
    expect(choiceInWords([CPU, ABSENT])).toBeUndefined();
    expect(choiceInWords([CPU, works('onnx-webgpu', 0.03)])).toBeUndefined();
    const slow: Verdict = { state: 'slow', backend: 'onnx-webgpu', difference: 0, seconds: 30 };
    expect(choiceInWords([CPU, slow])).toBeUndefined();
  });

  it('stays with the processor where another is hardly faster', () => {
    expect(choose([CPU, works('onnx-webgpu', 0.02 / (LEAD - 0.01))])).toBe('onnx-cpu');
    expect(choose([CPU, works('onnx-webgpu', 0.02 / (LEAD + 0.01))])).toBe('onnx-webgpu');
  });

  it('takes another that works where the processor does not, and the processor where nothing does', () => {
    const broken: Verdict = { state: 'wrong', backend: 'onnx-cpu', difference: 1 };
    expect(choose([broken, works('onnx-webgpu', 5)])).toBe('onnx-webgpu');
    expect(choiceInWords([broken, works('onnx-webgpu', 5)])).toMatch(/^auto: onnx-webgpu; onnx-cpu computes something/);
    expect(choose([broken, CRASH])).toBe('onnx-cpu');
    expect(choose([])).toBe('onnx-cpu');
  });
});

/** Named drivers make a machine one that may have a graphics processor. */
const WITH_DRIVER = (): Machine => machineHere(folder, { VK_ICD_FILENAMES: '/driver.json' }, 'linux');

function trial(over: Partial<Trial> = {}) {
  const tried: string[] = [];
  const made: Trial = {
    home: join(folder, 'home'),
    versions: () => ({ gibbon: '1', commit: null, packages: {} }),
    machine: WITH_DRIVER(),
    tryOne: async (name) => {
      tried.push(name);
      return works(name, 1);
    },
    ...over,
  };
  return { trial: made, tried };
}

describe('what was found of backends', () => {
  it('is not asked where there is nothing but the processor: nothing is tried, nothing is written', async () => {
    const { trial: bare, tried } = trial({ machine: machineHere(folder, {}, 'linux') });
    expect(await verdictsHere(bare)).toEqual([]);
    expect(tried).toEqual([]);
    expect(existsSync(bare.home)).toBe(false);
  });

  it('is kept: the next run tries nothing', async () => {
    const { trial: first, tried } = trial();
    const verdicts = await verdictsHere(first);
    expect(tried).toEqual(['onnx-cpu', 'onnx-webgpu']);
    expect(await verdictsHere(first)).toEqual(verdicts);
    expect(tried.length).toBe(2);
    expect(readdirSync(first.home)).toEqual([BACKENDS_FILE]);
  });

  it.each<[string, () => Partial<Trial>]>([
    ['the version', () => ({ versions: () => ({ gibbon: '2', commit: null, packages: {} }) })],
    ['a package', () => ({ versions: () => ({ gibbon: '1', commit: null, packages: { 'onnxruntime-node': '2' } }) })],
    ['the named driver', () => ({ machine: machineHere(folder, { VK_ICD_FILENAMES: '/other.json' }, 'linux') })],
    [
      'the number of threads',
      () => ({ machine: machineHere(folder, { VK_ICD_FILENAMES: '/driver.json', GIBBON_THREADS: '7' }, 'linux') }),
    ],
    [
      'what TensorFlow is told',
      () => ({
        machine: machineHere(folder, { VK_ICD_FILENAMES: '/driver.json', TF_ENABLE_ONEDNN_OPTS: '1' }, 'linux'),
      }),
    ],
    ['an installed driver', () => ({ machine: { ...WITH_DRIVER(), drivers: ['radeon_icd.json 1'] } })],
    ['a card', () => ({ machine: { ...WITH_DRIVER(), devices: ['PCI 0x1002:0x744c'] } })],
  ])('is found anew when %s is another, and each is remembered', async (_, over) => {
    const { trial: first, tried } = trial();
    await verdictsHere(first);
    const other = { ...first, ...over() };
    await verdictsHere(other);
    expect(tried.length).toBe(4);
    await verdictsHere(first);
    await verdictsHere(other);
    expect(tried.length).toBe(4);
  });

  it("is found anew when TensorFlow's library was set up anew", async () => {
    const { trial: first, tried } = trial();
    const setUp = await fakeSetup({});
    try {
      vi.stubEnv(SETUP_VARIABLE, setUp);
      await verdictsHere(first);
      await verdictsHere(first);
      expect(tried).toEqual(['onnx-cpu', 'onnx-webgpu', 'tensorflow']);
      const before = addonStamp();
      // As long as it takes the clock of files to go on.
      await vi.waitUntil(async () => {
        await writeAddon(join(setUp, 'node_modules', '@tensorflow', 'tfjs-node'));
        return addonStamp() !== before;
      });
      await verdictsHere(first);
      expect(tried.length).toBe(6);
    } finally {
      rmSync(setUp, { recursive: true });
    }
  });

  it.each(['', '{', '{"schema":"gibbon.backends/1","tables":[{"facts":{},"verdicts":[{"state":"fine"}]}]}'])(
    'is found anew where the file is damaged: %j',
    async (text) => {
      const { trial: first, tried } = trial();
      await verdictsHere(first);
      writeFileSync(join(first.home, BACKENDS_FILE), text);
      expect((await verdictsHere(first)).length).toBe(2);
      expect(tried.length).toBe(4);
      expect(JSON.parse(readFileSync(join(first.home, BACKENDS_FILE), 'utf8'))).toMatchObject({ tables: [{}] });
    },
  );

  it('is found all the same where the home cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { trial: homeless } = trial({ home: join(folder, 'file', 'home') });
    expect((await verdictsHere(homeless)).length).toBe(2);
  });

  it('is renewed by trying all again', async () => {
    const { trial: first } = trial();
    await verdictsHere(first);
    await tryAll({ ...first, tryOne: async (name) => works(name, 2) });
    expect(await verdictsHere(first)).toMatchObject([{ stepSeconds: 2 }, { stepSeconds: 2 }]);
  });
});

describe('a machine', () => {
  const put = (path: string, text = ''): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const here = (environment = {}): Machine => machineHere(folder, environment, 'linux');

  it('has no graphics where Linux shows none, and may have on systems that do not tell', () => {
    expect(here()).toMatchObject({ devices: [], hasNvidia: false });
    expect(mayHaveGraphics(here())).toBe(false);
    expect(mayHaveGraphics(here({ VK_DRIVER_FILES: '' }))).toBe(false);
    expect(mayHaveGraphics(machineHere(folder, {}, 'darwin'))).toBe(true);
  });

  it('names cards by their model, or by their numbers on the bus', () => {
    put('proc/driver/nvidia/gpus/0000:01:00.0/information', 'Model: \t\t NVIDIA H100\nIRQ: 1\n');
    put('sys/class/drm/renderD128/device/vendor', '0x10de\n');
    put('sys/class/drm/renderD128/device/device', '0x2330\n');
    put('sys/class/drm/renderD129/device/vendor', '0x8086\n');
    put('sys/class/drm/renderD129/device/device', '0xa780\n');
    expect(here()).toMatchObject({ devices: ['NVIDIA H100', 'PCI 0x8086:0xa780'], hasNvidia: true });
  });

  it('sees the nodes of cards of which nothing else is told', () => {
    put('dev/dri/renderD128');
    expect(here()).toMatchObject({ devices: ['/dev/dri/renderD128'], hasNvidia: false });
    put('dev/nvidia0');
    put('dev/nvidiactl');
    expect(here()).toMatchObject({ devices: ['/dev/nvidia0'], hasNvidia: true });
  });

  it('is another with another driver', () => {
    put('usr/share/vulkan/icd.d/lvp_icd.json');
    put('proc/driver/nvidia/version', 'NVRM version: 550\nGCC');
    const { drivers } = here();
    expect(drivers).toEqual(['NVRM version: 550', expect.stringMatching(/^lvp_icd\.json \d/)]);
  });
});
