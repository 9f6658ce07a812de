/** `gibbon setup tensorflow`: TensorFlow's own library, in a folder of its own, so that no package.json and no lock changes. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openBackend } from '../../backends/open.ts';
import { openTensorflow } from '../../backends/tensorflow.ts';
import { ADDONS, hasAddon, SETUP_FOLDER, SETUP_VARIABLE, SHARED } from '../../backends/tensorflow-package.ts';
import { UserError } from '../../core/errors.ts';
import { shortPath } from '../../core/files.ts';
import { EXIT } from '../command.ts';
import { PACKAGE_ROOT } from '../paths.ts';
import { installedVersion } from '../surroundings.ts';
import type { Terminal } from '../terminal.ts';
import { buildAgainst, fetchLibraries, installPackage } from './addon.ts';
import { librariesIn } from './libraries.ts';
import { hasNvidia } from './nvidia.ts';
import { replaceFolder } from './stage.ts';
import { resultOf, tryOut, WORKS } from './tool.ts';

export interface TensorflowSetup {
  /** Build against the libraries in this folder; null: download some. */
  readonly libtensorflow: string | null;
  readonly gpu: 'auto' | 'yes' | 'no';
  /** Although it works already. */
  readonly anew: boolean;
}

/** What the folder was made from. */
interface Recipe {
  readonly addon: string;
  readonly libtensorflow: string | null;
}

const RECIPE = 'made-from.json';

/** @throws UserError where it cannot be had, or does not work; what was there before stays as it was */
export async function setUpTensorflow(asked: TensorflowSetup, terminal: Terminal): Promise<number> {
  const named = process.env[SETUP_VARIABLE];
  const folder = named === undefined || named === '' ? join(PACKAGE_ROOT, SETUP_FOLDER) : resolve(named);
  const libraries = asked.libtensorflow === null ? null : librariesIn(asked.libtensorflow);
  const recipe: Recipe = { addon: addonFor(asked), libtensorflow: libraries?.folder ?? null };
  if (!asked.anew && hasAddon() && isAsAsked(asked, recipe, recipeOf(folder))) {
    const there = await tryOut('tensorflow');
    if (there.well) {
      terminal.print(`nothing to do: TensorFlow ${resultOf(there)}`);
      return EXIT.ok;
    }
  }
  const version = installedVersion(SHARED);
  if (version === undefined) throw new UserError(`${SHARED} is not installed: run npm ci`);
  let verdict = '';
  await replaceFolder(folder, async (stage) => {
    terminal.note(`installing ${recipe.addon} ${version} into ${shortPath(folder)}`);
    await installPackage(stage, recipe.addon, version);
    const addonFolder = join(stage, 'node_modules', recipe.addon);
    if (libraries === null) {
      terminal.note('fetching TensorFlow, some hundred megabytes');
      await fetchLibraries(addonFolder);
    } else {
      terminal.note(`building the addon against ${libraries.folder}, which must stay where it is`);
      await buildAgainst(addonFolder, libraries);
    }
    await writeFile(join(stage, RECIPE), JSON.stringify(recipe));
    const tried = await tryOut('tensorflow', { [SETUP_VARIABLE]: stage });
    if (!tried.well) throw new UserError(`what was made does not work, and was removed: ${resultOf(tried)}`);
    verdict = resultOf(tried);
  });
  terminal.print(`TensorFlow ${verdict}`);
  return EXIT.ok;
}

/** Loads the library into this process. @throws UserError where it does not work */
export async function checkTensorflow(terminal: Terminal): Promise<number> {
  const { difference = Number.NaN } = await openBackend('tensorflow');
  const { addon, library, device } = await openTensorflow();
  terminal.print(
    `${WORKS}${library ?? 'of unknown version'} by ${addon} on the ${device}; ` +
      `a small gradient differs from the reference by ${difference.toExponential(1)} of its largest entry`,
  );
  return EXIT.ok;
}

/** Libraries that the user names may be for either; which package brings the addon makes no difference then. */
function addonFor({ libtensorflow, gpu }: TensorflowSetup): string {
  const [forGpu, forCpu] = ADDONS;
  if (gpu !== 'auto') return gpu === 'yes' ? forGpu : forCpu;
  const isOffered = ['linux', 'win32'].includes(process.platform) && process.arch === 'x64';
  return libtensorflow === null && isOffered && hasNvidia() ? forGpu : forCpu;
}

/** Without a word on it any that works will do; npm may have installed it. */
function isAsAsked({ libtensorflow, gpu }: TensorflowSetup, asked: Recipe, made: Recipe | undefined): boolean {
  if (libtensorflow !== null && made?.libtensorflow !== asked.libtensorflow) return false;
  return gpu === 'auto' || made?.addon === asked.addon;
}

/** Undefined of what something else made, or where it cannot be read. */
function recipeOf(folder: string): Recipe | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, RECIPE), 'utf8')) as Recipe;
  } catch {
    return undefined;
  }
}
