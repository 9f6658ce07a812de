/** Headless Chromium, spoken to over a pipe in its own DevTools protocol: no dependency, no port. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The first Chromium that answers, or undefined: `GIBBON_CHROMIUM`, then the usual names. */
export const chromiumPath: string | undefined = [process.env.GIBBON_CHROMIUM ?? '', ...NAMES].find(
  (name) => name !== '' && spawnSync(name, ['--version']).status === 0,
);

export interface View {
  readonly width: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly print?: boolean;
  readonly script?: boolean;
}

/** What the page asked for or complained about since it was opened. */
export interface Seen {
  readonly messages: readonly string[];
  /** Addresses other than the page's own and `data:`. */
  readonly requests: readonly string[];
}

type Answer = Readonly<Record<string, unknown>>;

const isAnswer = (value: unknown): value is Answer => typeof value === 'object' && value !== null;
const field = (value: unknown, name: string): unknown => (isAnswer(value) ? value[name] : undefined);

export class Browser {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #input: Writable;
  readonly #waiting = new Map<number, { resolve(value: Answer): void; reject(error: Error): void }>();
  #listener: (method: string, params: Answer) => void = () => undefined;
  #last = 0;

  private constructor(path: string) {
    this.#profile = mkdtempSync(join(tmpdir(), 'gibbon-browser-'));
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--disable-dev-shm-usage'];
    const quiet = ['--no-first-run', '--disable-background-networking', '--disable-extensions', '--mute-audio'];
    const profile = `--user-data-dir=${this.#profile}`;
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] as const;
    this.#child = spawn(path, [...flags, ...quiet, profile, '--remote-debugging-pipe', 'about:blank'], {
      stdio: [...stdio],
      detached: true,
    });
    const [, , , input, output] = this.#child.stdio;
    if (!(input instanceof Writable) || !(output instanceof Readable)) throw new Error('no pipe to the browser');
    this.#input = input;
    this.#listen(output);
  }

  static start(path: string): Browser {
    return new Browser(path);
  }

  /** Opens a page, hands it to `look`, and closes it. */
  async visit<T>(url: string, view: View, look: (page: Page, seen: Seen) => Promise<T>): Promise<T> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page((method, params) => this.send(method, params, String(sessionId)));
    const messages: string[] = [];
    const requests: string[] = [];
    let loaded = (): void => undefined;
    const whole = new Promise<void>((resolve) => {
      loaded = resolve;
    });
    this.#listener = (method, params) => {
      if (method === 'Page.loadEventFired') loaded();
      if (method === 'Log.entryAdded') messages.push(String(field(params.entry, 'text')));
      if (method === 'Runtime.consoleAPICalled') messages.push(JSON.stringify(params.args));
      if (method === 'Runtime.exceptionThrown') messages.push(JSON.stringify(params.exceptionDetails));
      const address = method === 'Network.requestWillBeSent' ? String(field(params.request, 'url')) : url;
      if (address !== url && !address.startsWith('data:')) requests.push(address);
    };
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.send(`${domain}.enable`);
    await page.send('Emulation.setDeviceMetricsOverride', {
      width: view.width,
      height: view.height ?? 900,
      deviceScaleFactor: 1,
      mobile: view.width < 640,
    });
    await page.send('Emulation.setScriptExecutionDisabled', { value: view.script === false });
    await page.send('Emulation.setEmulatedMedia', {
      media: view.print === true ? 'print' : 'screen',
      features: [{ name: 'prefers-color-scheme', value: view.dark === true ? 'dark' : 'light' }],
    });
    await page.send('Page.navigate', { url });
    await whole;
    try {
      return await look(page, { messages, requests });
    } finally {
      await this.send('Target.closeTarget', { targetId });
    }
  }

  /** Ends all processes of the browser at once: one that is left would write into the profile while it is removed. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    await ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  send(method: string, params: Answer = {}, sessionId?: string): Promise<Answer> {
    this.#last += 1;
    const id = this.#last;
    this.#input.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #listen(output: Readable): void {
    let rest = Buffer.alloc(0);
    output.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        this.#receive(JSON.parse(rest.subarray(0, end).toString()));
        rest = rest.subarray(end + 1);
      }
    });
  }

  #receive(message: unknown): void {
    const id = field(message, 'id');
    const params = field(message, 'params');
    if (typeof id !== 'number') {
      this.#listener(String(field(message, 'method')), isAnswer(params) ? params : {});
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    const error = field(message, 'error');
    const result = field(message, 'result');
    if (error !== undefined) waiting?.reject(new Error(JSON.stringify(error)));
    else waiting?.resolve(isAnswer(result) ? result : {});
  }
}

export class Page {
  readonly send: (method: string, params?: Answer) => Promise<Answer>;

  constructor(send: (method: string, params?: Answer) => Promise<Answer>) {
    this.send = send;
  }

  /** The value of an expression in the page; promises are awaited. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (answer.exceptionDetails !== undefined) throw new Error(JSON.stringify(answer.exceptionDetails));
    return field(answer.result, 'value');
  }

  /** The whole page as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', { captureBeyondViewport: true, format: 'png' });
    return Buffer.from(String(data), 'base64');
  }

  /** The page as it would be printed, as PDF. */
  async pdf(): Promise<Buffer> {
    const { data } = await this.send('Page.printToPDF', { printBackground: false, preferCSSPageSize: true });
    return Buffer.from(String(data), 'base64');
  }
}
