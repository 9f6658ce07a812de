/** What the results stand on besides the code: versions, commit, machine. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Versions } from '../core/versions.ts';
import { PACKAGE_ROOT, packageFacts } from './paths.ts';

/** The commit of a clone, with `-dirty` where files differ from it; null in an installed package. */
export function commitOf(root = PACKAGE_ROOT): string | null {
  if (!existsSync(join(root, '.git'))) return null;
  try {
    const arguments_ = ['describe', '--always', '--abbrev=40', '--exclude=*', '--dirty'];
    return execFileSync('git', arguments_, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

/** The installed version of a package; undefined if it is not there. */
export function installedVersion(name: string): string | undefined {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const manifest = folders.map((folder) => join(folder, name, 'package.json')).find((path) => existsSync(path));
  if (manifest === undefined) return undefined;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/** The installed version of every dependency that is there, optional ones too. */
export function packageVersions(): Record<string, string> {
  const { dependencies, optionalDependencies } = packageFacts();
  return Object.fromEntries(
    Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => {
      const version = installedVersion(name);
      return version === undefined ? [] : [[name, version]];
    }),
  );
}

/** The versions that results of this process stand on. */
export const versionsHere = (): Versions => ({
  gibbon: packageFacts().version,
  commit: commitOf(),
  packages: packageVersions(),
});
