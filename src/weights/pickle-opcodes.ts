/** The instructions of a pickle, under the names that Python's `pickletools` gives them. */
import { latin1 } from './pickle-cursor.ts';
import { type Callable, isForeign, type Machine, type PickleValue, pop, popMark, top } from './pickle-machine.ts';
import { quoted } from './refusal.ts';

type Instruction = (machine: Machine) => void;

/** An instruction that pushes what it returns. */
const push =
  (make: (machine: Machine) => PickleValue): Instruction =>
  (machine) =>
    void machine.stack.push(make(machine));

const put = (machine: Machine, index: number): void => void machine.memo.set(index, top(machine));

const get = (index: (machine: Machine) => number): Instruction =>
  push((machine) => {
    const value = machine.memo.get(index(machine));
    if (value === undefined) throw machine.world.refuse('a pickle in it recalls what it never remembered');
    return value;
  });

const text = (length: (machine: Machine) => number): Instruction =>
  push((machine) => utf8(machine, machine.cursor.bytes(length(machine))));

/** A string of Python 2, whose encoding is unknown; names are ASCII. */
const oldText = (length: (machine: Machine) => number): Instruction =>
  push((machine) => latin1(machine.cursor.bytes(length(machine))));

const bytes = (length: (machine: Machine) => number): Instruction =>
  push((machine) => machine.cursor.bytes(length(machine)).slice());

const tuple = (length: number): Instruction => push((machine) => Array.from({ length }, () => pop(machine)).reverse());

const uint8 = ({ cursor }: Machine): number => cursor.byte();
const uint32 = ({ cursor }: Machine): number => cursor.uint32();
const uint64 = ({ cursor }: Machine): number => cursor.uint64();
const decimal = ({ cursor, world }: Machine): number => Number(toInteger(cursor.line(), world.refuse));

export const OPCODES: ReadonlyMap<number, Instruction> = new Map(
  Object.entries<Instruction>({
    // PROTO, FRAME
    '\x80': ({ cursor, world }) => {
      const protocol = cursor.byte();
      if (protocol > 5) throw world.refuse(`a pickle in it has protocol ${protocol}, and 5 is the last that is known`);
    },
    '\x95': ({ cursor }) => void cursor.uint64(),

    // MARK, POP, POP_MARK, DUP
    '(': ({ stack, marks }) => void marks.push(stack.length),
    '0': (machine) => void pop(machine),
    '1': (machine) => void popMark(machine),
    '2': push(top),

    // NONE, NEWTRUE, NEWFALSE, INT (which writes booleans as 01 and 00), BININT, BININT1, BININT2
    N: push(() => null),
    '\x88': push(() => true),
    '\x89': push(() => false),
    I: push(({ cursor, world }) => {
      const line = cursor.line();
      return line === '01' ? true : line === '00' ? false : toInteger(line, world.refuse);
    }),
    J: push(({ cursor }) => cursor.int32()),
    K: push(uint8),
    M: push(({ cursor }) => cursor.uint16()),

    // LONG, LONG1, LONG4, FLOAT, BINFLOAT
    L: push(({ cursor, world }) => toInteger(cursor.line().replace(/L$/, ''), world.refuse)),
    '\x8a': push((machine) => long(machine, uint8(machine))),
    '\x8b': push((machine) => long(machine, uint32(machine))),
    F: push(({ cursor }) => Number(cursor.line())),
    G: push(({ cursor }) => cursor.float64()),

    // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8, BINSTRING, SHORT_BINSTRING
    X: text(uint32),
    '\x8c': text(uint8),
    '\x8d': text(uint64),
    T: oldText(uint32),
    U: oldText(uint8),

    // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
    B: bytes(uint32),
    C: bytes(uint8),
    '\x8e': bytes(uint64),
    '\x96': bytes(uint64),

    // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
    ')': tuple(0),
    '\x85': tuple(1),
    '\x86': tuple(2),
    '\x87': tuple(3),
    t: push(popMark),

    // EMPTY_LIST, LIST, APPEND, APPENDS, EMPTY_SET, ADDITEMS, FROZENSET
    ']': push(() => []),
    l: push(popMark),
    a: (machine) => append(machine, [pop(machine)]),
    e: (machine) => append(machine, popMark(machine)),
    '\x8f': push(() => []),
    '\x90': (machine) => append(machine, popMark(machine)),
    '\x91': push(popMark),

    // EMPTY_DICT, DICT, SETITEM, SETITEMS
    '}': push(() => new Map()),
    d: (machine) => {
      const items = popMark(machine);
      machine.stack.push(new Map());
      setItems(machine, items);
    },
    s: (machine) => setItems(machine, [pop(machine), pop(machine)].reverse()),
    u: (machine) => setItems(machine, popMark(machine)),

    // PUT, BINPUT, LONG_BINPUT, MEMOIZE, GET, BINGET, LONG_BINGET
    p: (machine) => put(machine, decimal(machine)),
    q: (machine) => put(machine, uint8(machine)),
    r: (machine) => put(machine, uint32(machine)),
    '\x94': (machine) => put(machine, machine.memo.size),
    g: get(decimal),
    h: get(uint8),
    j: get(uint32),

    // GLOBAL, STACK_GLOBAL, PERSID, BINPERSID
    c: push(({ cursor, world }) => world.global(`${cursor.line()}.${cursor.line()}`)),
    '\x93': push((machine) => {
      const [name, module] = [pop(machine), pop(machine)];
      if (typeof module === 'string' && typeof name === 'string') return machine.world.global(`${module}.${name}`);
      throw machine.world.refuse('a pickle in it names something by what is no name');
    }),
    P: push(({ cursor, world }) => world.persistent(cursor.line())),
    Q: push((machine) => machine.world.persistent(pop(machine))),

    // REDUCE, NEWOBJ, BUILD
    R: push(call),
    '\x81': push(call),
    b: (machine) => {
      // The state of an OrderedDict is its attributes (a state dict's `_metadata`): they are no entries, and nobody reads them.
      pop(machine);
      if (!(top(machine) instanceof Map)) throw machine.world.refuse('a pickle in it gives a state to what has none');
    },
  }).map(([character, instruction]) => [character.charCodeAt(0), instruction]),
);

/** More digits than any number that PyTorch writes: the largest is a magic number of ten bytes. */
const MAX_DIGITS = 64;

function toInteger(digits: string, refuse: Machine['world']['refuse']): number | bigint {
  if (!/^-?\d+$/.test(digits) || digits.length > MAX_DIGITS) throw refuse('a pickle in it has a malformed number');
  return compact(BigInt(digits));
}

/** Two's complement, the lowest byte first. */
function long({ cursor, world }: Machine, length: number): number | bigint {
  if (length > MAX_DIGITS) throw world.refuse(`a pickle in it has a number of ${length} bytes`);
  const value = cursor.bytes(length).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return compact(BigInt.asIntN(8 * length, value));
}

const compact = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

function utf8({ world }: Machine, encoded: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(encoded);
  } catch {
    throw world.refuse('a pickle in it has a string that is not UTF-8');
  }
}

function append(machine: Machine, items: readonly PickleValue[]): void {
  const list = top(machine);
  if (!Array.isArray(list)) throw machine.world.refuse('a pickle in it appends to what is not a list');
  for (const item of items) list.push(item);
}

function setItems(machine: Machine, items: readonly PickleValue[]): void {
  const dictionary = top(machine);
  if (!(dictionary instanceof Map)) throw machine.world.refuse('a pickle in it sets an entry of what is no dictionary');
  if (items.length % 2 !== 0) throw machine.world.refuse('a pickle in it has a key without a value');
  for (let i = 0; i < items.length; i += 2) dictionary.set(items[i] ?? null, items[i + 1] ?? null);
}

function call(machine: Machine): PickleValue {
  const args = pop(machine);
  const callee = pop(machine);
  if (!isCallable(callee)) throw machine.world.refuse(`a pickle in it calls ${describe(callee)}`);
  if (!Array.isArray(args)) throw machine.world.refuse(`a pickle in it calls ${callee.name} without arguments`);
  return callee.call(args);
}

const isCallable = (value: PickleValue): value is Callable => isForeign(value) && value.kind === 'callable';

const describe = (value: PickleValue): string => {
  if (isForeign(value)) return value.name;
  return typeof value === 'object' ? 'what is no function' : `the ${typeof value} ${quoted(String(value))}`;
};
