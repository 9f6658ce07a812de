/** Where the weights are in what a PyTorch file holds. */
import { UserError } from '../core/errors.ts';
import type { PickleValue } from './pickle-machine.ts';
import { quoted } from './refusal.ts';
import { isTensor, type Tensor } from './torch-values.ts';

/** What a checkpoint calls its state dict, by those who write checkpoints. */
const ENTRIES = ['state_dict', 'model_state_dict', 'model'] as const;

/** Put before each name by `torch.nn.DataParallel`. */
const WRAPPER = 'module.';

/**
 * The tensors of a state dict by name: of the file's own, or of the one in a checkpoint's `state_dict`, `model_state_dict`
 * or `model`.
 *
 * @throws UserError saying what the file holds instead
 */
export function stateDictOf(value: PickleValue, path: string): ReadonlyMap<string, Tensor> {
  const entry = value instanceof Map ? ENTRIES.find((name) => value.get(name) instanceof Map) : undefined;
  const dictionary = value instanceof Map && entry !== undefined ? value.get(entry) : value;
  if (!(dictionary instanceof Map)) throw noStateDict(path, isTensor(value) ? 'a single tensor' : 'no dictionary');
  if (dictionary.size === 0) throw noStateDict(path, 'an empty dictionary');
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of dictionary) {
    if (typeof name !== 'string' || !isTensor(tensor)) throw noStateDict(path, `${describe(name)}, which is no tensor`);
    tensors.set(name, tensor);
  }
  return withoutWrapper(tensors);
}

const describe = (name: PickleValue): string =>
  typeof name === 'string' ? `an entry ${quoted(name)}` : 'an unnamed entry';

const noStateDict = (path: string, found: string): UserError =>
  new UserError(
    `${path} holds no state dict (names with tensors, by itself or as ${ENTRIES.join(', ')}): it holds ${found}. ` +
      'Save one: torch.save(model.state_dict(), FILE)',
  );

function withoutWrapper(tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  if (![...tensors.keys()].every((name) => name.startsWith(WRAPPER))) return tensors;
  return new Map([...tensors].map(([name, tensor]) => [name.slice(WRAPPER.length), tensor]));
}
