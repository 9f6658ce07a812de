/** All backends, by name: how each is opened, and what tells without trying that it cannot work here. */
import { builtIn } from '../compile/built-in.ts';
import { compile } from '../compile/compile.ts';
import { eager } from '../compile/eager.ts';
import type { Provider } from '../compile/target.ts';
import type { Prepare } from '../compile/types.ts';
import { tf } from '../tf.ts';
import { cudaAdvice, SETUP_CUDA } from './cuda-advice.ts';
import { type Machine, mayHaveGraphics } from './machine.ts';
import type { BackendName } from './names.ts';
import { loadedTensorflow, openTensorflow } from './tensorflow.ts';
import { hasAddon, SETUP } from './tensorflow-package.ts';

/** Why a backend is not even tried. */
export interface Lack {
  readonly why: string;
  /** How to get what is missing, where that would be of use. */
  readonly advice?: string;
}

export interface Kind {
  /**
   * What computes with it, which nobody has checked yet. Sets TensorFlow.js's own backend, where weights live and what is not
   * compiled is computed.
   *
   * @throws Error if it does not work here
   */
  open(): Promise<Prepare>;
  /** What it lacks here for certain, told at once and without loading it; undefined if it may work. */
  lacks(machine: Machine): Lack | undefined;
  /**
   * How to get it, where it was tried and does not work.
   *
   * @param complaint - what it said
   */
  advice(machine: Machine, complaint: string): string | undefined;
  /** What it computes on besides the processor, as far as that is known. */
  device(machine: Machine): string | undefined;
}

const nothing = (): undefined => undefined;

export const KINDS: Readonly<Record<BackendName, Kind>> = {
  'onnx-cpu': { open: () => onnx('cpu'), lacks: nothing, advice: nothing, device: nothing },
  'onnx-webgpu': {
    open: () => onnx('webgpu'),
    lacks: (machine) => {
      if (!comes('webgpu')) return { why: 'this ONNX Runtime comes without it' };
      if (mayHaveGraphics(machine)) return undefined;
      return { why: 'no graphics processor is to be seen (/dev/dri, /dev/nvidia*), and no driver is named' };
    },
    advice: ({ platform }) =>
      platform === 'linux'
        ? "install Vulkan's loader and the card's Vulkan driver (Debian: libvulkan1 and mesa-vulkan-drivers, or NVIDIA's)"
        : "update the card's driver",
    device: ({ devices, namedDriver }) => (namedDriver === undefined ? oneOf(devices) : `the driver ${namedDriver}`),
  },
  'onnx-cuda': {
    open: () => {
      // Rounds products to 10 bits unless it is told not to, before its libraries are loaded.
      process.env.NVIDIA_TF32_OVERRIDE ??= '0';
      return onnx('cuda');
    },
    lacks: ({ platform, hasNvidia }) => {
      if (platform === 'linux' && !hasNvidia) return { why: 'no NVIDIA card is to be seen (/dev/nvidia*)' };
      if (comes('cuda')) return undefined;
      const why = 'its libraries did not come with ONNX Runtime';
      return platform === 'linux' ? { why, advice: `${SETUP_CUDA} fetches them` } : { why };
    },
    advice: (_, complaint) => cudaAdvice(complaint),
    device: ({ devices, hasNvidia }) =>
      hasNvidia ? oneOf(devices.filter((name) => !name.startsWith('PCI '))) : undefined,
  },
  tensorflow: {
    open: async () => (await openTensorflow()).prepare,
    lacks: () =>
      hasAddon() ? undefined : { why: 'its library is not installed', advice: `${SETUP} fetches or builds it` },
    advice: () => `${SETUP} -- --anew makes it again`,
    device: () => loadedTensorflow(),
  },
  cpu: {
    open: async () => {
      await tf.setBackend('cpu');
      return eager;
    },
    lacks: nothing,
    advice: nothing,
    device: nothing,
  },
};

async function onnx(provider: Provider): Promise<Prepare> {
  await tf.setBackend('cpu');
  return (fn, specs, options) => compile(fn, specs, { ...options, provider });
}

const comes = (provider: Provider): boolean => builtIn().some(({ name, bundled }) => name === provider && bundled);

/** None of the backends says which it took. */
function oneOf(devices: readonly string[]): string | undefined {
  if (devices.length === 0) return undefined;
  const distinct = [...new Set(devices)];
  return distinct.length === 1 ? distinct[0] : `one of ${distinct.join(', ')}`;
}
