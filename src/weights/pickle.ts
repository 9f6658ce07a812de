/**
 * Python's pickles (protocols 1 … 5, https://docs.python.org/3/library/pickletools.html), as data. A pickle is a program
 * for a stack machine whose only dangerous instructions name something and call it: here they can name what `World` knows,
 * and nothing is ever run.
 */
import type { ByteSource } from './byte-source.ts';
import { type Cursor, cursorOver, OutOfBytes } from './pickle-cursor.ts';
import { type Machine, type PickleValue, pop, type World } from './pickle-machine.ts';
import { OPCODES } from './pickle-opcodes.ts';

/** Far more than any network needs: a tensor takes some thirty instructions and two hundred bytes. */
const MAX_BYTES = 16 * 2 ** 20;
const MAX_STEPS = 2 ** 19;
const FIRST_WINDOW = 4096;

/**
 * Reads the pickle that begins at a position. Its length is not known before it is read, so it is tried on ever larger
 * parts of the file.
 *
 * @returns its value, and where the next thing begins
 * @throws UserError for what is no pickle of allowed things, or ends before its end
 */
export async function readPickle(
  source: ByteSource,
  position: number,
  world: World,
): Promise<{ readonly value: PickleValue; readonly end: number }> {
  for (let window = FIRST_WINDOW; ; window *= 16) {
    const length = Math.min(window, MAX_BYTES, source.size - position);
    const cursor = cursorOver(await source.read(position, length));
    try {
      return { value: unpickle(cursor, world), end: position + cursor.position };
    } catch (error) {
      if (!(error instanceof OutOfBytes)) throw error;
      if (length === source.size - position) throw world.refuse('a pickle in it is cut short');
      if (length === MAX_BYTES) throw world.refuse(`a pickle in it takes more than ${MAX_BYTES} bytes`);
    }
  }
}

const STOP = 0x2e;

function unpickle(cursor: Cursor, world: World): PickleValue {
  const machine: Machine = { cursor, stack: [], marks: [], memo: new Map(), world };
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const opcode = cursor.byte();
    if (opcode === STOP) return pop(machine);
    const execute = OPCODES.get(opcode);
    if (execute === undefined) {
      throw world.refuse(
        `a pickle in it has the instruction 0x${opcode.toString(16).padStart(2, '0')}, which is unknown`,
      );
    }
    execute(machine);
  }
  throw world.refuse(`a pickle in it takes more than ${MAX_STEPS} steps`);
}
