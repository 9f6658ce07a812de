/** What this machine has that a backend may need, as far as files and the environment tell: cheap, and no proof of anything. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Machine {
  readonly platform: NodeJS.Platform;
  /** Graphics processors in words, `NVIDIA H100`, `PCI 0x8086:0xa780`; on systems whose files do not tell, none. */
  readonly devices: readonly string[];
  /** Whether any of them is NVIDIA's. */
  readonly hasNvidia: boolean;
  /** The driver that the environment names in place of the system's own; undefined if it names none. */
  readonly namedDriver: string | undefined;
  /** What drivers there are, with what changes when they do. */
  readonly drivers: readonly string[];
  /** What else in the environment may change what works, and how fast. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Variables that name Vulkan's driver; the loader looks at the first two in place of its folders, at the third besides. */
const DRIVER_NAMES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'];

const VARIABLES = [
  ...DRIVER_NAMES,
  ...['VK_LOADER_DRIVERS_SELECT', 'VK_LOADER_DRIVERS_DISABLE', 'MESA_VK_DEVICE_SELECT', 'DRI_PRIME'],
  ...['CUDA_VISIBLE_DEVICES', 'CUDA_DEVICE_ORDER', 'NVIDIA_TF32_OVERRIDE', 'LD_LIBRARY_PATH', 'GIBBON_THREADS'],
  ...['TF_ENABLE_ONEDNN_OPTS', 'TF_DETERMINISTIC_OPS', 'TF_FORCE_GPU_ALLOW_GROWTH'],
  ...['TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS'],
];

/** Where Vulkan's loader looks for manifests of drivers. */
const MANIFESTS = ['etc/vulkan/icd.d', 'usr/share/vulkan/icd.d', 'usr/local/share/vulkan/icd.d'];

/** @param root - the folder in which the system's files lie, as `/` */
export function machineHere(
  root = '/',
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Machine {
  const set = VARIABLES.map((name) => [name, environment[name] ?? ''] as const).filter(([, value]) => value !== '');
  const named = DRIVER_NAMES.map((name) => environment[name] ?? '').find((value) => value !== '');
  const facts = { platform, namedDriver: named, environment: Object.fromEntries(set) };
  if (platform !== 'linux') return { ...facts, devices: [], hasNvidia: false, drivers: [] };
  const nvidia = nvidiaModels(root);
  // Cards of which the driver tells no name, and those behind Windows.
  const nodes = entries(join(root, 'dev')).filter((name) => /^nvidia\d+$/.test(name) || name === 'dxg');
  const devices = [...(nvidia.length > 0 ? nvidia : nodes.map((name) => `/dev/${name}`)), ...pciDevices(root)];
  return {
    ...facts,
    devices: [...devices, ...(devices.length === 0 ? renderNodes(root) : [])],
    hasNvidia: nvidia.length > 0 || nodes.length > 0,
    drivers: [...firstLine(join(root, 'proc/driver/nvidia/version')), ...MANIFESTS.flatMap(manifests(root))],
  };
}

/** Whether WebGPU may find a graphics processor. Systems other than Linux have an interface of their own to one. */
export const mayHaveGraphics = ({ platform, devices, namedDriver }: Machine): boolean =>
  platform !== 'linux' || devices.length > 0 || namedDriver !== undefined;

/** As NVIDIA's driver calls them. */
function nvidiaModels(root: string): string[] {
  const folder = join(root, 'proc/driver/nvidia/gpus');
  return entries(folder).flatMap((bus) => {
    const model = /^Model:\s*(.+)$/m.exec(textOf(join(folder, bus, 'information')));
    return model?.[1] === undefined ? [] : [model[1].trim()];
  });
}

const NVIDIA = '0x10de';

/** Cards of other makers by the numbers of their PCI device, as the kernel's graphics drivers have them. */
function pciDevices(root: string): string[] {
  const folder = join(root, 'sys/class/drm');
  return entries(folder)
    .filter((name) => /^renderD\d+$/.test(name))
    .flatMap((name) => {
      const [vendor, device] = ['vendor', 'device'].map((file) => textOf(join(folder, name, 'device', file)).trim());
      return vendor === undefined || vendor === '' || vendor === NVIDIA ? [] : [`PCI ${vendor}:${device}`];
    });
}

/** What programs open to compute on a card, where nothing says more of it. */
const renderNodes = (root: string): string[] =>
  entries(join(root, 'dev/dri'))
    .filter((name) => name.startsWith('renderD'))
    .map((name) => `/dev/dri/${name}`);

/** Manifests by their names and times: a driver that is installed or renewed brings a new one. */
const manifests =
  (root: string) =>
  (folder: string): string[] =>
    entries(join(root, folder)).map((name) => `${name} ${modified(join(root, folder, name))}`);

const modified = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const firstLine = (path: string): string[] => textOf(path).split('\n').slice(0, 1).filter(Boolean);

/** In order; none where there is no such folder. */
function entries(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}
