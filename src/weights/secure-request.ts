/** HTTP requests that stay encrypted on the whole way: also where a redirect leads. */
export type Fetch = typeof globalThis.fetch;

const MAX_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const LOCAL: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * @returns the first answer that is no redirect, whatever its status
 * @throws Error for a step that is not HTTPS (HTTP that stays within this machine aside), and for whatever `fetch` throws
 */
export async function request(
  url: string,
  headers: Readonly<Record<string, string>>,
  { signal, fetch = globalThis.fetch }: { readonly signal?: AbortSignal; readonly fetch?: Fetch },
): Promise<Response> {
  let current = new URL(url);
  const staysLocal = isLocal(current);
  for (let steps = 0; steps <= MAX_REDIRECTS; steps++) {
    if (current.protocol !== 'https:' && !(staysLocal && isLocal(current))) {
      throw new Error(`${steps === 0 ? 'it is' : `it leads to ${current.href.slice(0, 200)}, which is`} not HTTPS`);
    }
    const response = await fetch(current, {
      // A packed answer could not be continued, and its length would say nothing.
      headers: { 'accept-encoding': 'identity', ...headers },
      redirect: 'manual',
      signal: signal ?? null,
    });
    const location = response.headers.get('location');
    if (!REDIRECTS.has(response.status) || location === null) return response;
    await response.body?.cancel();
    if (!URL.canParse(location, current.href)) throw new Error('it leads to what is no URL');
    current = new URL(location, current);
  }
  throw new Error(`it leads through more than ${MAX_REDIRECTS} redirects`);
}

const isLocal = ({ protocol, hostname }: URL): boolean => protocol === 'http:' && LOCAL.has(hostname);
