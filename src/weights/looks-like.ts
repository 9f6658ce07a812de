/** What a file that holds no weights seems to be, from its first bytes, and what to do about it. */

interface Look {
  readonly is: (head: Buffer) => boolean;
  readonly what: string;
  readonly remedy: string;
}

const begins =
  (...bytes: readonly number[]) =>
  (head: Buffer): boolean =>
    head.subarray(0, bytes.length).equals(Buffer.from(bytes));

const text =
  (pattern: RegExp) =>
  (head: Buffer): boolean =>
    pattern.test(head.toString('utf8').replace(/^\uFEFF?\s*/, ''));

const CONVERT = 'Save the weights as safetensors or as a PyTorch state dict';
const AGAIN = 'Download the file itself';

const LOOKS: readonly Look[] = [
  { is: (head) => head.length === 0, what: 'is empty', remedy: 'Copy or download it again' },
  {
    is: text(/^(<!doctype html|<html|<head|<body)/i),
    what: 'is an HTML page, such as servers send in place of a file',
    remedy: AGAIN,
  },
  { is: text(/^<\?xml/i), what: 'is an XML page, such as servers send in place of a file', remedy: AGAIN },
  {
    is: text(/^version https:\/\/git-lfs\.github\.com\/spec\//),
    what: 'is a Git LFS pointer, which stands for the file',
    remedy: 'Fetch the file itself: git lfs pull',
  },
  {
    is: text(/^\{.*"(modelTopology|weightsManifest)"/s),
    what: 'is a TensorFlow.js model',
    remedy: 'Give its folder to --arch',
  },
  { is: text(/^[{[]/), what: 'is JSON', remedy: CONVERT },
  {
    is: begins(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
    what: 'is an HDF5 file, as Keras writes (.h5)',
    remedy: CONVERT,
  },
  // An ONNX file is a protocol buffer: field 1, the version of its format, then the name of its producer or the like.
  {
    is: (head) =>
      head[0] === 0x08 && (head[1] ?? 0) <= 20 && [0x12, 0x1a, 0x22, 0x2a, 0x32, 0x3a, 0x42].includes(head[2] ?? 0),
    what: 'is an ONNX model',
    remedy: CONVERT,
  },
  { is: (head) => head.toString('latin1', 4, 8) === 'TFL3', what: 'is a TensorFlow Lite model', remedy: CONVERT },
  { is: begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59), what: 'is a NumPy array', remedy: CONVERT },
  { is: begins(0x1f, 0x8b), what: 'is packed by gzip', remedy: 'Unpack it first' },
  { is: begins(0x42, 0x5a, 0x68), what: 'is packed by bzip2', remedy: 'Unpack it first' },
  { is: begins(0xfd, 0x37, 0x7a, 0x58, 0x5a), what: 'is packed by xz', remedy: 'Unpack it first' },
  { is: begins(0x28, 0xb5, 0x2f, 0xfd), what: 'is packed by zstd', remedy: 'Unpack it first' },
  {
    is: (head) => head[0] === 0x80 && (head[1] ?? 255) <= 5,
    what: 'is a Python pickle that PyTorch did not write, and is not opened',
    remedy: CONVERT,
  },
];

/** `is an HTML page, such as servers send in place of a file. Download the file itself` */
export function looksLike(head: Buffer): string {
  const look = LOOKS.find(({ is }) => is(head));
  if (look !== undefined) return `${look.what}. ${look.remedy}`;
  const first = head
    .subarray(0, 8)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
  return `begins with the bytes ${first}, like no file of weights that is known. ${CONVERT}`;
}
