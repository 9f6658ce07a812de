import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's home folder. */
  readonly user: string;
}

const here = (): Surroundings => ({ environment: process.env, platform: process.platform, user: homedir() });

/**
 * Where weights and datasets lie that are fetched once and used often: `$GIBBON_HOME`, or else `gibbon` in the platform's
 * folder for caches (`$XDG_CACHE_HOME` or `~/.cache`; `~/Library/Caches`; `%LOCALAPPDATA%`). It need not exist.
 */
export function gibbonHome({ environment, platform, user }: Surroundings = here()): string {
  const { join } = platform === 'win32' ? win32 : posix;
  const { GIBBON_HOME, LOCALAPPDATA, XDG_CACHE_HOME } = environment;
  if (isGiven(GIBBON_HOME)) return GIBBON_HOME;
  if (platform === 'win32')
    return join(isGiven(LOCALAPPDATA) ? LOCALAPPDATA : join(user, 'AppData', 'Local'), 'gibbon');
  if (platform === 'darwin') return join(user, 'Library', 'Caches', 'gibbon');
  // The XDG base directory specification: a path that is not absolute is ignored.
  const isUsable = isGiven(XDG_CACHE_HOME) && posix.isAbsolute(XDG_CACHE_HOME);
  return join(isUsable ? XDG_CACHE_HOME : join(user, '.cache'), 'gibbon');
}

const isGiven = (value: string | undefined): value is string => value !== undefined && value !== '';
