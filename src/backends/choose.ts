/** Which of the backends that were tried is taken. */
import type { BackendName } from './names.ts';
import { isWorking, type Verdict, verdictInWords, type Working } from './verdict.ts';

/** What is taken where nothing is faster. */
export const USUAL: BackendName = 'onnx-cpu';

/**
 * How many times as fast another one must be: what two measurements of the same differ by on a busy machine is no reason to get
 * other last digits.
 */
export const LEAD = 1.25;

/** The fastest that works, the usual one unless another is faster by the lead; the usual one too if nothing works. */
export function choose(table: readonly Verdict[]): BackendName {
  const [fastest] = table.filter(isWorking).toSorted((a, b) => a.stepSeconds - b.stepSeconds);
  if (fastest === undefined) return USUAL;
  const times = timesFaster(fastest, table);
  return times !== undefined && times < LEAD ? USUAL : fastest.backend;
}

/** How many times as fast as the usual one it is; undefined if that one does not work. */
function timesFaster({ stepSeconds }: Working, table: readonly Verdict[]): number | undefined {
  const usual = table.filter(isWorking).find(({ backend }) => backend === USUAL);
  return usual && usual.stepSeconds / stepSeconds;
}

/**
 * What a user should know of the choice, in one line: `auto: onnx-webgpu (4.1 times as fast as onnx-cpu)`. Undefined if the
 * usual one was taken and nothing went wrong: that another one is not there, or slow, is no news.
 */
export function choiceInWords(table: readonly Verdict[]): string | undefined {
  const chosen = choose(table);
  const failed = table.filter((one) => !isWorking(one));
  if (chosen === USUAL && failed.every(({ state }) => state === 'unavailable' || state === 'slow')) return undefined;
  const winner = table.filter(isWorking).find(({ backend }) => backend === chosen);
  const times = winner && chosen !== USUAL ? timesFaster(winner, table) : undefined;
  const lead = times === undefined ? chosen : `${chosen} (${times.toFixed(1)} times as fast as ${USUAL})`;
  return [`auto: ${lead}`, ...failed.map((one) => `${one.backend} ${verdictInWords(one)}`)].join('; ');
}
