import { messageOf } from '../core/errors.ts';

/** An error of loading `path`, in one line: the transformer's `file:line:column: ERROR: …`, or the message with its place in the file. */
export function reasonOf(error: unknown, path: string): string {
  const message = messageOf(error);
  const transform = /^(.*):(\d+):(\d+): ERROR: (.*)$/m.exec(message);
  if (transform !== null) return `line ${transform[2]}, column ${transform[3]}: ${transform[4]}`;
  const frame = error instanceof Error ? error.stack?.split('\n').find((line) => line.includes(path)) : undefined;
  const position = frame === undefined ? null : /:(\d+):(\d+)\)?$/.exec(frame);
  const firstLine = message.split('\n')[0] ?? '';
  return position === null ? firstLine : `line ${position[1]}, column ${position[2]}: ${firstLine}`;
}
