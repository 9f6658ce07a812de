/** The command as one would type it again, for run.json and for hints. */

/** A word quoted for a POSIX shell where it needs to be. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** How this process was started: through an npm script, or as the `gibbon` program. */
export function commandLineOf(command: string, words: readonly string[]): string {
  const start = process.env.npm_lifecycle_event === command ? `npm run ${command}` : `gibbon ${command}`;
  const rest = words.map(quoted);
  return [start, ...(start.startsWith('npm') && rest.length > 0 ? ['--'] : []), ...rest].join(' ');
}
