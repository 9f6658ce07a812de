/** Where downloaded files are kept, between runs and between projects. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * `$GIBBON_HOME`, or `gibbon` in the platform's folder for caches. It need not exist.
 *
 * Linux: `$XDG_CACHE_HOME` or `~/.cache`, which must be absolute (XDG Base Directory Specification 0.8). macOS:
 * `~/Library/Caches`. Windows: `%LOCALAPPDATA%`.
 */
export function gibbonHome(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { GIBBON_HOME, XDG_CACHE_HOME, LOCALAPPDATA } = environment;
  if (GIBBON_HOME) return resolve(GIBBON_HOME);
  return join(cacheFolder(platform, XDG_CACHE_HOME, LOCALAPPDATA), 'gibbon');
}

function cacheFolder(platform: NodeJS.Platform, xdg: string | undefined, local: string | undefined): string {
  if (platform === 'win32') return local || join(homedir(), 'AppData', 'Local');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return xdg?.startsWith('/') ? xdg : join(homedir(), '.cache');
}
