/** What native libraries say, as one line for people. */
import { stripVTControlCharacters } from 'node:util';
import { messageOf } from '../core/errors.ts';

/** The first line of what was thrown, without the place in ONNX Runtime's sources and the condition that it found false. */
export function reasonOf(error: unknown): string {
  const [first = ''] = messageOf(error).split('\n');
  return first.replace(/^\/onnxruntime_src\/.* was false\. /, '');
}

/** The last line with anything on it; undefined if there is none. */
export const lastLine = (text: string): string | undefined =>
  stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '');
