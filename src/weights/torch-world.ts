/**
 * All that a PyTorch file may ask for: tensors, the storages they lie in, and plain containers. The list is complete: what
 * is not on it is refused by name, and what is on it only describes where values lie.
 */
import { UserError } from '../core/errors.ts';
import type { Callable, Foreign, PickleValue, World } from './pickle-machine.ts';
import { quoted, type Refuse, refusalOf } from './refusal.ts';
import { DATA_TYPES, type DataType, STORAGE_TYPES, TENSOR_TYPES } from './torch-types.ts';
import { isDataType, isStorage, isTensor, type Tensor, type TypeClass, tensorOf } from './torch-values.ts';

/** A list can be named again and again; turning it into a dictionary is the one thing that takes memory each time. */
const MAX_COPIED_ENTRIES = 2 ** 19;

/**
 * What the pickles of one file may refer to.
 *
 * @param persistent - what the container makes of a persistent id
 */
export function torchWorld(path: string, persistent: (id: PickleValue, refuse: Refuse) => PickleValue): World {
  const refuse = refusalOf(path);
  const known = allowList(refuse);
  return {
    refuse,
    persistent: (id) => persistent(id, refuse),
    global: (name) => {
      const found = known.get(name.replace(/^__builtin__\./, 'builtins.'));
      if (found === undefined) throw notAllowed(path, name);
      return found;
    },
  };
}

const REMEDY = 'Save its state dict alone: torch.save(model.state_dict(), FILE)';

function notAllowed(path: string, name: string): UserError {
  const shown = /^[\w.<>-]{1,80}$/.test(name) ? name : quoted(name);
  if (/^(torch\.nn|torch\.jit|torchvision\.models)\b/.test(name)) {
    return new UserError(
      `${path} holds a whole model (${shown}), which only its own code opens; nothing was run. ${REMEDY}`,
    );
  }
  return new UserError(`${path} asks for ${shown}, which is refused: weights are data, and nothing was run. ${REMEDY}`);
}

function allowList(refuse: Refuse): ReadonlyMap<string, Foreign> {
  let copied = 0;
  const dictionary = ([pairs]: readonly PickleValue[]): PickleValue => {
    if (pairs === undefined) return new Map();
    if (pairs instanceof Map) return pairs;
    if (!Array.isArray(pairs)) throw refuse('a dictionary in it is made from no list');
    copied += pairs.length;
    if (copied > MAX_COPIED_ENTRIES) throw refuse(`its dictionaries have more than ${MAX_COPIED_ENTRIES} entries`);
    const isPair = (pair: PickleValue): pair is [PickleValue, PickleValue] => Array.isArray(pair) && pair.length === 2;
    if (!pairs.every(isPair)) throw refuse('a dictionary in it is made from what are no pairs');
    return new Map(pairs);
  };
  const parameter = ([tensor]: readonly PickleValue[]): PickleValue => {
    if (isTensor(tensor)) return tensor;
    throw refuse('a parameter in it is made from no tensor');
  };
  const list = ([items]: readonly PickleValue[]): PickleValue => {
    if (items === undefined || Array.isArray(items)) return items ?? [];
    throw refuse('a list in it is made from no list');
  };
  const functions: Readonly<Record<string, Callable['call']>> = {
    'torch._utils._rebuild_tensor': (args) => rebuildTensor(args, undefined, args[4], refuse),
    'torch._utils._rebuild_tensor_v2': (args) => rebuildTensor(args, undefined, args[6], refuse),
    'torch._utils._rebuild_tensor_v3': (args) => rebuildTensor(args, args[6], args[7], refuse),
    'torch._utils._rebuild_parameter': parameter,
    'torch._utils._rebuild_parameter_with_state': parameter,
    'collections.OrderedDict': dictionary,
    'builtins.dict': dictionary,
    'builtins.list': list,
    'builtins.tuple': list,
    'builtins.set': list,
    'builtins.frozenset': list,
    'torch.Size': list,
  };
  const classes = (kind: TypeClass['kind'], types: ReadonlyMap<string, DataType>): TypeClass[] =>
    [...types].map(([name, dtype]) => ({ kind, name, dtype }));
  const all: readonly Foreign[] = [
    ...Object.entries(functions).map(([name, call]): Callable => ({ kind: 'callable', name, call })),
    ...classes('storage class', STORAGE_TYPES),
    ...classes('tensor class', TENSOR_TYPES),
    ...DATA_TYPES.values(),
  ];
  return new Map(all.map((foreign) => [foreign.name, foreign]));
}

/**
 * @param dtype - of the elements, if the storage has none of its own
 * @param metadata - whether the values are to be negated or conjugated
 */
function rebuildTensor(
  [storage, offset, shape, strides]: readonly PickleValue[],
  dtype: PickleValue | undefined,
  metadata: PickleValue | undefined,
  refuse: Refuse,
): Tensor {
  if (!isStorage(storage)) throw refuse('a tensor in it has no storage');
  if (metadata instanceof Map && metadata.size > 0) {
    throw refuse('a tensor in it is a negated or conjugated view of another: save a copy of it (tensor.clone())');
  }
  return tensorOf(storage, isDataType(dtype) ? dtype : storage.dtype, offset, shape, strides, refuse);
}
