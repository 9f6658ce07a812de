/** TensorFlow's libraries in a folder that the user names. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';

export interface Libraries {
  /** Where the loader finds them. */
  readonly folder: string;
  /** File names in it. */
  readonly main: string;
  readonly framework: string;
  readonly include: string;
}

export const ACCEPTED =
  'an unpacked libtensorflow (include/, lib/) or the folder "tensorflow" of an installed Python wheel ' +
  '(include/, libtensorflow_cc.so.2, libtensorflow_framework.so.2)';

/**
 * @param named - the folder, from the working folder
 * @throws UserError saying what is missing in it
 */
export function librariesIn(named: string, platform = process.platform): Libraries {
  if (platform !== 'linux') throw new UserError(`--libtensorflow is for Linux; on ${platform} only downloads are`);
  const given = resolve(named);
  if (!existsSync(given) || !statSync(given).isDirectory())
    throw new UserError(`--libtensorflow ${named}: there is no such folder`);
  // A build hands the path through shells and makefiles, and the linker's words end at a comma.
  if (/[^\w./+@~-]/.test(given)) {
    throw new UserError(
      `${given}: the build understands only letters, digits and ./+@~-_ in its path: make a link to it`,
    );
  }
  const include = join(given, 'include');
  const folder = [join(given, 'lib'), given].find((place) => find(place, MAIN) !== undefined) ?? given;
  const [main, framework] = [find(folder, MAIN), find(folder, FRAMEWORK)];
  const header = join('tensorflow', 'c', 'c_api.h');
  const missing = [
    ...(existsSync(join(include, header)) ? [] : [join('include', header)]),
    ...(main === undefined ? ['libtensorflow.so.2 or libtensorflow_cc.so.2'] : []),
    ...(framework === undefined ? ['libtensorflow_framework.so.2'] : []),
  ];
  if (main === undefined || framework === undefined || missing.length > 0) {
    throw new UserError(`--libtensorflow ${named}: no ${missing.join(', no ')} in it. It must be ${ACCEPTED}`);
  }
  return { folder, main, framework, include };
}

const MAIN = /^libtensorflow(_cc)?\.so(\.\d+)?$/;
const FRAMEWORK = /^libtensorflow_framework\.so(\.\d+)?$/;

/** The name with a version before the one without: that is what the loader asks for. */
function find(folder: string, pattern: RegExp): string | undefined {
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
    .at(-1);
}
