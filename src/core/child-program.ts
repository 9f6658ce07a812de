/** Programs of the package's own that run in a process of theirs, from sources or from what was built of them. */
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface ChildProgram {
  readonly script: string;
  /** Node's own arguments. */
  readonly execArgv: readonly string[];
}

/**
 * The program in the file `name` beside the module: its TypeScript in a clone, which tsx loads, plain JavaScript in an
 * installed package.
 *
 * @param url - the module's `import.meta.url`
 */
export function programBeside(url: string, name: string): ChildProgram {
  const ending = extname(url);
  return { script: fileURLToPath(new URL(`./${name}${ending}`, url)), execArgv: ending === '.ts' ? loader() : [] };
}

const loader = (): string[] => ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href];
