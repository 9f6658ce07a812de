/** `gibbon setup cuda`: ONNX Runtime's libraries for CUDA, which are too large for npm, fetched from NuGet by its own script. */
import { existsSync } from 'node:fs';
import { cp, rename, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cudaAdvice } from '../../backends/cuda-advice.ts';
import { openBackend } from '../../backends/open.ts';
import { UserError } from '../../core/errors.ts';
import { EXIT } from '../command.ts';
import type { Terminal } from '../terminal.ts';
import { complaintIn } from './complaint.ts';
import { withStage } from './stage.ts';
import { resultOf, runTool, tryOut, WORKS } from './tool.ts';

export interface CudaSetup {
  readonly anew: boolean;
  /** Where the package onnxruntime-node lies. */
  readonly folder?: string;
  readonly machine?: string;
  readonly attempt?: typeof tryOut;
}

/** What its `script/install-metadata.js` says: for each machine, which files make up a set. */
interface Metadata {
  readonly requirements: Readonly<Record<string, readonly string[]>>;
  readonly manifests: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** @throws UserError where they cannot be had, or CUDA does not work with them, saying what it lacks */
export async function setUpCuda(asked: CudaSetup, terminal: Terminal): Promise<number> {
  const { folder = packageFolder(), machine = `${process.platform}/${process.arch}`, attempt = tryOut } = asked;
  const files = filesFor(folder, machine);
  const place = join(folder, 'bin', 'napi-v6', machine);
  const isThere = files.every((file) => existsSync(join(place, file)));
  if (!isThere || asked.anew) {
    terminal.note('fetching ONNX Runtime for CUDA from nuget.org, some hundred megabytes');
    await fetchInto(place, folder, machine, files);
  }
  const tried = await attempt('cuda');
  const verdict = resultOf(tried);
  if (tried.well) {
    terminal.print(`${isThere && !asked.anew ? 'nothing to do: ' : ''}CUDA ${verdict}`);
    return EXIT.ok;
  }
  const advice = cudaAdvice(verdict);
  throw new UserError(`ONNX Runtime's libraries are here, but CUDA does not work with them yet: ${verdict}; ${advice}`);
}

/** Opens a CUDA session in this process. @throws UserError where it does not work */
export async function checkCuda(terminal: Terminal): Promise<number> {
  await openBackend('onnx-cuda');
  terminal.print(`${WORKS}a small gradient agrees with the reference`);
  return EXIT.ok;
}

function packageFolder(): string {
  // Its package.json stands two folders above its main file.
  return dirname(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')));
}

function filesFor(folder: string, machine: string): string[] {
  const metadata = createRequire(join(folder, 'script', 'any.js'))('./install-metadata.js') as Metadata;
  const sets = metadata.requirements[machine] ?? [];
  const files = sets.flatMap((set) => Object.keys(metadata.manifests[`${machine}:${set}`] ?? {}));
  if (files.length > 0) return files;
  const offered = Object.keys(metadata.requirements).filter((name) => metadata.requirements[name]?.length);
  throw new UserError(
    `ONNX Runtime offers its CUDA libraries to ${offered.join(', ')}, and this is ${machine}; --backend onnx-webgpu may work`,
  );
}

/** Its script writes into its own package: it is given a copy of that, and what came is moved when all of it is there. */
async function fetchInto(place: string, folder: string, machine: string, files: readonly string[]): Promise<void> {
  await withStage(join(folder, '.cuda'), async (stage) => {
    await cp(join(folder, 'script'), join(stage, 'script'), { recursive: true });
    await symlink(join(folder, 'package.json'), join(stage, 'package.json')).catch(() => undefined);
    const { env } = process;
    const ended = await runTool(process.execPath, [join(stage, 'script', 'install.js')], {
      folder: stage,
      environment: {
        ONNXRUNTIME_NODE_INSTALL: 'true',
        // Its only word for a proxy.
        GLOBAL_AGENT_HTTPS_PROXY: env.GLOBAL_AGENT_HTTPS_PROXY ?? env.HTTPS_PROXY ?? env.https_proxy,
      },
    });
    const came = join(stage, 'bin', 'napi-v6', machine);
    if (!ended.well || !files.every((file) => existsSync(join(came, file)))) {
      throw new UserError(
        `the libraries were not fetched: ${complaintIn(ended.said)}. Nothing was installed. Try again where it is reached (with ` +
          `a proxy: HTTPS_PROXY=URL), or put ${files.map((file) => file.replace(/^\.\//, '')).join(', ')} of the NuGet ` +
          `package Microsoft.ML.OnnxRuntime.Gpu.Linux into ${place}`,
      );
    }
    for (const file of files) await rename(join(came, file), join(place, file));
  });
}
