/** Going on from a trained network (transfer learning): its weights, under a last layer that is new. */
import { loadWeights } from '../models/load-weights.ts';
import { type Network, stillOutputs, trainingOutputs } from '../models/network.ts';
import { weightsOf } from '../models/weights.ts';
import type { tf } from '../tf.ts';
import type { StoredTensor } from '../weights/stored-tensor.ts';
import type { StepParts } from './step.ts';

export interface Start {
  /** Under PyTorch's names, in its layout: all weights of a network that differs in its last layer at most. */
  readonly weights: ReadonlyMap<string, StoredTensor>;
  /** Of the file that they come from, in hex. */
  readonly sha256: string;
  /** What that file is called in errors. */
  readonly source: string;
  /** Only the last layer learns. */
  readonly freeze: boolean;
}

/**
 * The network with the weights of the start under its own last layer, and without the auxiliary classifiers, which were
 * there to bring gradients to layers that had learned nothing yet.
 *
 * @throws UserError if they do not fit
 */
export async function startFrom(network: Network, { weights, source }: Start): Promise<Network> {
  const head = `${headOf(network.model).name}.`;
  const own = weightsOf(network.model).filter(({ name }) => name.startsWith(head));
  const kept = [...weights].filter(([name]) => !name.startsWith(head));
  const fresh = own.map(async ({ name, shape, read }): Promise<[string, StoredTensor]> => {
    return [name, { dtype: 'F32', shape, data: await read() }];
  });
  loadWeights(network, new Map([...kept, ...(await Promise.all(fresh))]), source);
  return { ...network, trained: network.model };
}

/** The last layer with weights, which makes the logits. */
export function headOf(model: tf.LayersModel): tf.layers.Layer {
  const head = model.layers.findLast(({ weights }) => weights.length > 0);
  if (head === undefined) throw new Error(`${model.name} has no weights`);
  return head;
}

/** What learns, and how the network computes meanwhile. */
export interface Learning {
  /** The layers whose weights move. */
  readonly learns: Pick<tf.LayersModel, 'trainableWeights'>;
  readonly model: StepParts['model'];
  /** As in `model`, leaving no trace: see `stillOutputs`. */
  readonly still: StepParts['still'];
}

/**
 * All of the network in training mode; or, where it is frozen, its last layer alone. What is frozen computes as in
 * inference: batch norm by its running statistics, which stay, and without dropout.
 */
export function learningOf(network: Network, start: Start | undefined): Learning {
  if (start?.freeze === true) {
    const model: Learning['still'] = (x) => ({ logits: network.classifier.logits(x), auxiliary: [] });
    return { learns: headOf(network.model), model, still: model };
  }
  return {
    learns: network.trained,
    model: (x, noise) => trainingOutputs(network, x, noise),
    still: (x) => stillOutputs(network, x),
  };
}
