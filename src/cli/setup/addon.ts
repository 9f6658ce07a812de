/** The addon between Node.js and TensorFlow's library: fetched, or built against libraries that are there. */
import { existsSync } from 'node:fs';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SHARED } from '../../backends/tensorflow-package.ts';
import { UserError } from '../../core/errors.ts';
import { makeFolder } from '../../core/files.ts';
import { complaintIn } from './complaint.ts';
import { ACCEPTED, type Libraries } from './libraries.ts';
import { type Ended, runNpm } from './tool.ts';

const NOTHING = 'Nothing was installed';

const INSTEAD =
  'Try again where it is reached; or name a mirror with TFJS_NODE_CDN_STORAGE=URL/; or build against libraries that are here: ' +
  `npm run setup:tensorflow -- --libtensorflow DIR, ${ACCEPTED}`;

/**
 * Puts the package into the folder as npm would, but without running what it wants to run, and with the program's own copy
 * of TensorFlow.js: a second one could not serve it, and is thirty times as large as the rest.
 *
 * @throws UserError saying which host was not reached
 */
export async function installPackage(stage: string, addon: string, version: string): Promise<void> {
  const standIn = join(stage, 'stand-in');
  await writeJson(join(standIn, 'package.json'), { name: SHARED, version });
  await writeJson(join(stage, 'package.json'), { private: true, overrides: { [SHARED]: `file:${standIn}` } });
  const quiet = ['--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
  const ended = await runNpm(['install', ...quiet, '--prefix', '.', `${addon}@${version}`], { folder: stage });
  if (!ended.well)
    throw new UserError(`npm cannot install ${addon} ${version}: ${complaintIn(ended.said)}. ${NOTHING}`);
  const modules = join(stage, 'node_modules');
  for (const gone of [join(modules, SHARED), standIn, join(stage, 'package.json')]) await rm(gone, { recursive: true });
  await share(modules);
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await makeFolder(dirname(path));
  await writeFile(path, JSON.stringify(value));
}

/** Links to the program's own copies, where they are not found anyway in the folders above. */
async function share(modules: string): Promise<void> {
  const own = folderOf(SHARED, import.meta.url);
  if (own === undefined || folderOf(SHARED, join(modules, 'any.js')) === own) return;
  for (const name of [SHARED, `${SHARED}-core`]) {
    const folder = folderOf(name, join(own, 'any.js'));
    if (folder !== undefined) await symlink(folder, join(modules, name), 'junction');
  }
}

/** Where a package lies for code in a file. */
function folderOf(name: string, file: string): string | undefined {
  try {
    return dirname(createRequire(file).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** @throws UserError saying which host was not reached, and what to do instead */
export async function fetchLibraries(addonFolder: string): Promise<void> {
  requireWell(await runNpm(['run', 'install'], { folder: addonFolder }), 'the libraries were not fetched', INSTEAD);
}

/** @throws UserError with the compiler's first complaint */
export async function buildAgainst(
  addonFolder: string,
  { folder, main, framework, include }: Libraries,
): Promise<void> {
  const deps = join(addonFolder, 'deps');
  await makeFolder(join(deps, 'lib'));
  await symlink(include, join(deps, 'include'));
  await symlink(join(folder, main), join(deps, 'lib', 'libtensorflow.so'));
  await symlink(join(folder, framework), join(deps, 'lib', 'libtensorflow_framework.so'));
  // Looked for where they lie, and not through the links: wheels find their CUDA libraries from there.
  const environment = { LDFLAGS: `${process.env.LDFLAGS ?? ''} -Wl,-rpath,${folder}` };
  const ended = await runNpm(['run', 'build-addon-from-source', ...headers()], { folder: addonFolder, environment });
  requireWell(ended, 'the addon was not built', 'It needs a C++ compiler, make, Python 3 and the headers of Node.js');
  await rm(join(addonFolder, 'build'), { recursive: true, force: true });
}

/** The headers beside Node.js itself, which need not be fetched then. */
function headers(): string[] {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : [];
}

function requireWell({ well, said }: Ended, what: string, advice: string): void {
  if (!well) throw new UserError(`${what}: ${complaintIn(said)}. ${NOTHING}. ${advice}`);
}
