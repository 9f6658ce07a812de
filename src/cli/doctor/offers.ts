/** What this machine offers to the program besides its core: threads, graphics processors, weights, data. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Machine, machineHere } from '../../backends/machine.ts';
import { type BuiltIn, builtIn } from '../../compile/built-in.ts';
import { THREADS, threadCount } from '../../compile/threads.ts';
import { messageOf } from '../../core/errors.ts';
import { shortPath } from '../../core/files.ts';
import { gibbonHome } from '../../core/home.ts';
import { datasetNames, openDataset } from '../../data/registry.ts';
import { TORCHVISION } from '../../weights/torchvision.ts';
import type { Finding } from './finding.ts';

export function threads(asked = process.env[THREADS]): Finding {
  const name = 'threads';
  try {
    const [count, available] = [threadCount(asked), availableParallelism()];
    const found = `${count ?? 'as many as ONNX Runtime finds'} of ${available} processors that this process may use`;
    const isFewer = asked !== undefined && asked !== '' && count !== undefined && count < available;
    return {
      ...{ name, found: isFewer ? `${found}; ${THREADS}=${asked}` : found, well: true },
      ...(isFewer ? { advice: `unset ${THREADS} to use all cores, unless runs share the machine` } : {}),
    };
  } catch (error) {
    return { name, found: messageOf(error), well: false };
  }
}

/** What ONNX Runtime was built with. */
export function runtime(backends: readonly BuiltIn[] = builtIn()): Finding {
  const has = (backend: string): string => {
    const known = backends.find(({ name }) => name === backend);
    if (known === undefined) return 'not built in';
    return known.bundled ? 'built in' : 'built in, but its libraries did not come with the package';
  };
  return {
    name: 'ONNX Runtime',
    found: `CPU ${has('cpu')}; WebGPU ${has('webgpu')}; CUDA ${has('cuda')}`,
    well: has('cpu') !== 'not built in',
  };
}

/** Which graphics processors the system tells of. */
export function graphics({ platform, devices, namedDriver }: Machine = machineHere()): Finding {
  const seen = devices.length > 0 ? [...new Set(devices)].join(', ') : undefined;
  const none = platform === 'linux' ? 'none is to be seen' : 'not told by files here';
  const named = namedDriver === undefined ? [] : [`the environment names the driver ${namedDriver}`];
  return { name: 'graphics processors', found: [seen ?? none, ...named].join('; '), well: true };
}

/** Which published weights lie in the home, where they need not be fetched again. */
export function publishedWeights(home = gibbonHome()): Finding {
  const there = TORCHVISION.filter(({ file }) => existsSync(join(home, file)));
  const archs = [...new Set(there.map(({ arch }) => arch))];
  const name = 'published weights';
  if (archs.length > 0) return { name, found: `${archs.join(', ')}, in ${shortPath(home)}`, well: true };
  const advice = `photographs need them: --weights imagenet fetches them, or put the files into ${home}`;
  return { name, found: `none in ${shortPath(home)}`, well: true, advice };
}

/** Which datasets can be opened here, and what the others lack. */
export const datasets = (): Promise<Finding[]> =>
  Promise.all(
    datasetNames.map(async (dataset): Promise<Finding> => {
      const name = `dataset ${dataset}`;
      try {
        const { size } = await openDataset(dataset, 'test');
        return { name, found: `${size} test images`, well: true };
      } catch (error) {
        return { name, found: 'not here', well: true, advice: messageOf(error) };
      }
    }),
  );
