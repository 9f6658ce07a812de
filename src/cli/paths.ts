/** Where the package itself lives: a clone's root, or the installed package's folder. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

/** The folder that holds package.json: `src/cli` and `dist/src/cli` stand at different depths below it. */
export const PACKAGE_ROOT = findUp(HERE);

function findUp(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`no package.json above ${HERE}`);
  return findUp(parent);
}

export interface PackageFacts {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/** The package's own package.json. */
export const packageFacts = (): PackageFacts =>
  JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as PackageFacts;
