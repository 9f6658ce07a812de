/** Runs a function on symbolic tensors and returns the graph of what it did. */
import { tf } from '../tf.ts';
import { type Graph, makeValue, type Named, type Value } from './graph.ts';
import { HeldVariable, realiseNewVariables } from './held-variables.ts';
import { withoutDeadCode } from './passes/rewrite.ts';
import { BACKEND, isRecording, recordInto, registerBackend } from './recording-backend.ts';
import { type RecordedVariable, Trace } from './trace.ts';
import type { TensorSpec, Weights } from './types.ts';

export interface Recording {
  readonly graph: Graph;
  /** Live variables in the order of the graph's last inputs. */
  readonly reads: readonly RecordedVariable[];
  /** Assigned variables in the order of the graph's last outputs. */
  readonly writes: readonly RecordedVariable[];
}

/**
 * Runs `fn` once on symbolic tensors and returns what it did.
 *
 * @param specs - the inputs, by name
 * @throws Error that names the culprit: an unknown kernel, a value that was read, a variable assigned with frozen weights
 */
export function recordFunction(
  fn: (inputs: Readonly<Record<string, tf.Tensor>>) => Readonly<Record<string, tf.Tensor>>,
  specs: Readonly<Record<string, TensorSpec>>,
  weights: Weights,
): Recording {
  if (isRecording()) throw new Error('compile was called inside a function that is being compiled');
  registerBackend();
  const engine = tf.engine();
  // Chooses a backend if nobody has yet: there must be one to return to.
  tf.backend();
  const backend = tf.getBackend();
  const held: HeldVariable[] = [];
  const active = new Trace(weights);
  const hold = (variable: tf.Variable): void => {
    held.push(new HeldVariable(variable));
    active.knowVariable(variable);
  };
  for (const variable of Object.values(engine.registeredVariables)) hold(variable);
  const restore = realiseNewVariables(active, backend, hold);
  recordInto(active);
  // Takes effect at once: the recorder's factory is synchronous.
  void tf.setBackend(BACKEND);
  engine.startScope('compile');
  try {
    return recordInScope(fn, specs, weights, active, held);
  } finally {
    engine.endScope();
    for (const variable of held) variable.letGo();
    restore();
    recordInto(undefined);
    void tf.setBackend(backend);
  }
}

function recordInScope(
  fn: (inputs: Readonly<Record<string, tf.Tensor>>) => Readonly<Record<string, tf.Tensor>>,
  specs: Readonly<Record<string, TensorSpec>>,
  weights: Weights,
  active: Trace,
  held: readonly HeldVariable[],
): Recording {
  const inputs: Named[] = [];
  const tensors = Object.entries(specs).map(([name, { shape, dtype = 'float32' }]) => {
    const value = makeValue({ shape, dtype });
    inputs.push({ name, value });
    const dataId = active.dataIdOf(value);
    return [name, tf.engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype })] as const;
  });
  const outputs = Object.entries(fn(Object.fromEntries(tensors))).map(([name, tensor]) => ({
    name,
    value: active.valueOf(tensor),
  }));
  const writes = held
    .filter(({ variable }) => active.owns(variable.dataId))
    .map(({ variable }) => ({ variable, value: active.valueOf(variable) }));
  if (weights === 'frozen' && writes[0] !== undefined) {
    throw new Error(
      `the variable "${writes[0].variable.name}" is assigned inside the compiled function, whose weights are frozen; ` +
        "compile it with { weights: 'live' }",
    );
  }
  const named = ({ variable, value }: RecordedVariable): Named => ({ name: variable.name, value });
  const graph = active.builder.finish([...inputs, ...active.reads.map(named)], [...outputs, ...writes.map(named)]);
  refuseRandomness(graph, active.drawn);
  return { graph, reads: active.reads, writes };
}

/** A compiled function would give the same random numbers at every call. */
class DrawnWhileCompiling extends Error {
  /** What is wrong, without what to do about it. */
  readonly fault: string;

  constructor(place: string) {
    const fault = `random numbers were drawn while compiling${place}: they would be the same at every call`;
    super(`${fault}. Take them as an argument`);
    this.name = 'DrawnWhileCompiling';
    this.fault = fault;
  }
}

/** @throws Error if an output depends on random numbers that were drawn while tracing */
function refuseRandomness(graph: Graph, drawn: ReadonlyMap<Value, string>): void {
  const { constants } = withoutDeadCode(graph);
  const [place] = [...drawn].flatMap(([value, where]) => (constants.has(value) ? [where] : []));
  if (place === undefined) return;
  throw new DrawnWhileCompiling(place);
}
