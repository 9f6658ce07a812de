import { describe, expect, it } from 'vitest';
import * as p from './pickle-assembler.ts';
import { expectRefusal, read } from './refusal.ts';

describe('the assembler', () => {
  it.each([
    ['zip', p.pthZip(p.HONEST)],
    ['stream', p.pthLegacy(p.HONEST)],
  ])('makes a %s that is read when it is honest', async (_container, bytes) => {
    const { tensors } = await read(bytes);
    expect(Object.fromEntries(tensors)).toEqual({ w: { dtype: 'F32', shape: [2, 2], data: new Float32Array(4) } });
  });
});

describe('files of Python 2', () => {
  it('have strings of bytes, dictionaries from lists of pairs, and tensors without hooks: they are read', async () => {
    const word = (text: string) => p.bytes('U', text.length, text);
    const words = [
      word('storage'),
      p.global('torch.cuda', 'FloatStorage'),
      word('140'),
      word('cuda:0'),
      p.number(4),
      p.NONE,
    ];
    const storage = p.bytes(p.tuple(...words), 'Q');
    const rebuild = p.global('torch._utils', '_rebuild_tensor');
    const tensor = p.call(rebuild, storage, p.number(1), p.tuple(p.number(2)), p.tuple(p.number(1)));
    const parameter = p.call(p.global('torch.nn.parameter', 'Parameter'), tensor);
    const pairs = (value: Uint8Array) => p.bytes('](](', word('fc.weight'), value, 'ee');
    const ordered = (value: Uint8Array) => p.call(p.global('collections', 'OrderedDict'), pairs(value));
    const { tensors } = await read(p.pthLegacy(p.pickle(ordered(tensor)), ['140']));
    expect(Object.fromEntries(tensors)).toEqual({
      'fc.weight': { dtype: 'F32', shape: [2], data: new Float32Array(2) },
    });
    await expectRefusal(p.pthLegacy(p.pickle(ordered(parameter)), ['140']), /holds a whole model \(torch.nn.parameter/);
  });
});

describe('files that want something run', () => {
  const argument = p.text('touch /tmp/harmed');
  it.each<[string, Buffer, string]>([
    ['a call of os.system', p.call(p.global('os', 'system'), argument), 'os.system'],
    ['posix.system, as pickle names it', p.call(p.global('posix', 'system'), argument), 'posix.system'],
    ['eval of Python 2', p.call(p.global('__builtin__', 'eval'), argument), '__builtin__.eval'],
    ['getattr', p.call(p.global('builtins', 'getattr'), p.NONE, argument), 'builtins.getattr'],
    ['a name from the stack', p.bytes('\x8c\x02os\x8c\x06system\x93'), 'os.system'],
    [
      'a name that is a path through torch',
      p.global('torch', 'serialization.os.system'),
      'torch.serialization.os.system',
    ],
    ['a new object of some class', p.bytes(p.global('subprocess', 'Popen'), ')\x81'), 'subprocess.Popen'],
    ['a class of its own', p.global('__main__', 'Net'), '__main__.Net'],
    ['a name with line feeds', p.bytes('\x8c\x03a\nb\x8c\x01c\x93'), '"a\\nb.c"'],
    ['a name like a method of every object', p.global('constructor', 'prototype'), 'constructor.prototype'],
    ['a module with its code', p.bytes('(', p.text('module'), p.global('nets', 'Net'), 'N', 'N', 'tQ'), 'nets.Net'],
  ])('%s are refused by that name', async (_what, value, name) => {
    const message = `asks for ${name}, which is refused: weights are data, and nothing was run. Save its state dict`;
    const pattern = new RegExp(message.replace(/[.\\]/g, '\\$&'));
    await expectRefusal(p.pthZip(p.pickle(value)), pattern);
    await expectRefusal(p.pthLegacy(p.pickle(value)), pattern);
  });

  it.each([
    ['a method on the stack', p.bytes('(ios\nsystem\n'), /instruction 0x69, which is unknown/],
    ['an extension', p.bytes('\x82\x01'), /instruction 0x82/],
    ['a string', p.call(p.text('os.system'), argument), /calls the string "os.system"/],
    ['a type', p.call(p.global('torch', 'FloatStorage')), /calls torch.FloatStorage/],
    ['a list', p.call(p.bytes(']')), /calls what is no function/],
    ['a state for a tensor', p.bytes(p.tensor(0, [], []), '}b'), /gives a state to what has none/],
    ['a whole network', p.global('torch.nn.modules.container', 'Sequential'), /holds a whole model \(torch.nn.modules/],
    ['a whole network of torchvision', p.global('torchvision.models.resnet', 'ResNet'), /holds a whole model/],
  ])('%s are refused', async (_what, value, message) => {
    await expectRefusal(p.pthZip(p.pickle(value)), message);
  });
});

describe('pickles that are no honest program', () => {
  const deep = p.bytes(']'.repeat(200_000), 'a'.repeat(199_999));
  const state = (value: Uint8Array) => p.pickle(p.dictionary(p.text('w'), value));
  const laughs = p.bytes(
    ']q\x00',
    ...Array.from({ length: 200 }, () => p.bytes('(', 'h\x00'.repeat(100), 't', 'q\x00')),
  );
  const wide = p.bytes('](', 'NN\x86'.repeat(100_000), 'eq\x00');
  it.each<[string, Buffer, RegExp]>([
    ['a list inside itself', p.pickle(']q\x00h\x00a'), /holds no state dict/],
    ['a dictionary inside itself', p.pickle('}q\x00', p.text('w'), 'h\x00s'), /entry "w", which is no tensor/],
    [
      'a dictionary as its own state dict',
      p.pickle('}q\x00', p.text('state_dict'), 'h\x00s'),
      /entry "state_dict", which is no/,
    ],
    ['lists nested without end', state(deep), /entry "w", which is no tensor/],
    ['tuples of tuples of tuples', state(laughs), /entry "w", which is no tensor/],
    ['a name made of nested tuples', p.pickle(laughs, 'h\x00', '\x93'), /names something by what is no name/],
    [
      'dictionaries from one list, again and again',
      state(
        p.bytes(
          wide,
          ...Array.from({ length: 50 }, () =>
            p.bytes(p.call(p.global('collections', 'OrderedDict'), p.bytes('h\x00')), '0'),
          ),
        ),
      ),
      /more than 524288 entries/,
    ],
    ['instructions without end', p.pickle('N0'.repeat(2 ** 19)), /more than 524288 steps/],
    ['a string of 4 GB', p.pickle('X', p.uint32(0xffffffff), 'abc'), /cut short/],
    ['a string of 2⁶⁴ bytes', p.pickle('\x8d', '\xff'.repeat(8)), /cut short/],
    ['a number of 2 GB', p.pickle('\x8b', p.uint32(2 ** 31)), /number of 2147483648 bytes/],
    ['a number of many digits', p.pickle('L', '9'.repeat(100_000), 'L\n'), /malformed number/],
    ['a number that is none', p.pickle('Ixyz\n'), /malformed number/],
    ['a string that is not UTF-8', p.pickle('X', p.uint32(1), '\xff'), /not UTF-8/],
    ['an empty stack', p.pickle(), /takes more from its stack than is there/],
    ['a stack taken below its mark', p.pickle('N(0'), /takes more from its stack/],
    ['no mark', p.pickle('Nt'), /lacks a mark/],
    ['a key without a value', p.pickle('}(Nu'), /key without a value/],
    ['an entry for a list', p.pickle(']NNs'), /no dictionary/],
    ['an item for a dictionary', p.pickle('}Na'), /not a list/],
    ['a memory of nothing', p.pickle('h\x07'), /never remembered/],
    ['protocol 6', p.bytes('\x80\x06N.'), /protocol 6/],
    ['no end', p.bytes('\x80\x02N'), /cut short/],
    ['nothing', Buffer.alloc(0), /cut short/],
    ['a megabyte of nothing', Buffer.alloc(2 ** 20), /instruction 0x00/],
    ['arguments that are none', p.pickle(p.global('collections', 'OrderedDict'), 'NR'), /without arguments/],
    ['a dictionary of no pairs', state(p.call(p.global('collections', 'OrderedDict'), p.bytes('](NNe'))), /no pairs/],
    [
      'a parameter of nothing',
      state(p.call(p.global('torch._utils', '_rebuild_parameter'), p.NONE)),
      /made from no tensor/,
    ],
    ['an unnamed tensor', p.pickle(p.dictionary(p.number(1), p.tensor(0, [], []))), /an unnamed entry/],
    ['a tensor alone', p.pickle(p.tensor(0, [], [])), /a single tensor/],
    ['a dictionary of nothing', p.pickle('}'), /an empty dictionary/],
  ])('%s: refused at once, by name', async (_what, bytes, message) => {
    await expectRefusal(p.pthZip(bytes), message);
  });
});
