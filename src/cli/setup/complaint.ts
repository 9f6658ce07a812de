/** Why another program failed, in one sentence, out of all that it printed. */

const UNREACHED = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b/;

export function complaintIn(said: string): string {
  const code = UNREACHED.exec(said)?.[1];
  if (code !== undefined) return `${hostIn(said) ?? 'the network'} was not reached (${code})`;
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = TELLING.map((pattern) => lines.find((line) => pattern.test(line))).find((line) => line !== undefined);
  return (telling ?? lines.at(-1) ?? 'it said nothing').slice(0, 300);
}

/** From the most telling to the least. */
const TELLING = [/fatal error:|: error:/, /not found: |No such file|ENOSPC|EACCES|EROFS/, /^\w*Error: /, /\berror\b/i];

function hostIn(said: string): string | undefined {
  const lookedUp = /getaddrinfo \w+ ([\w.-]+)/.exec(said)?.[1];
  const requested = /request to (https?:\/\/\S+)/.exec(said)?.[1];
  const dialled = /connect \w+ ([\w.:]+)/.exec(said)?.[1];
  if (requested !== undefined && URL.canParse(requested)) return new URL(requested).host;
  return lookedUp ?? dialled;
}
