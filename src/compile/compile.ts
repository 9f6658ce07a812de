/**
 * `compile(fn)`: traces a function of tensors once, with its gradients and updates, into an ONNX graph, and runs that in
 * ONNX Runtime from then on.
 *
 * Shapes are static: one compiled function per shape. All randomness must come in as an argument: a random tensor made
 * while tracing would be frozen into the graph.
 */
import { tf } from '../tf.ts';
import { isTensorSpec } from './eager.ts';
import { Emitter } from './emitter.ts';
import { type Graph, sizeOf } from './graph.ts';
import { viewAs } from './host-array.ts';
import { kernelOf } from './kernels/table.ts';
import { encodeModel, type OnnxGraph } from './onnx.ts';
import { optimise } from './passes/optimise.ts';
import { type Recording, recordFunction } from './recorder.ts';
import { disposeOf, isResident, takenHome } from './resident.ts';
import { assignAll } from './resident-variables.ts';
import { runLive } from './run-live.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';
import { type Target, targetOf } from './target.ts';
import type {
  ArgSpec,
  ComputedTensor,
  Executable,
  HostArg,
  HostArray,
  HostTensor,
  PrepareOptions,
  Result,
  TensorArgs,
  TensorSpec,
  Values,
} from './types.ts';

export interface CompileOptions extends PrepareOptions, SessionOptions {
  /** Called with the graph as text, before and after every pass. */
  readonly dump?: (stage: string, text: string) => void;
}

/**
 * Compiles a function of tensors.
 *
 * @param fn - takes tensors or records of them, returns a tensor, a record of tensors, or nothing
 * @param specs - the shape and type of every argument
 * @returns the function on plain arrays. Calls must not overlap
 * @throws Error naming the kernel that cannot be compiled or the line that reads a value while tracing
 */
export async function compile<const Specs extends readonly ArgSpec[], R extends Result>(
  fn: (...args: TensorArgs<Specs>) => R,
  specs: Specs,
  options: CompileOptions = {},
): Promise<Executable<Specs, R>> {
  const name = options.name ?? 'the compiled function';
  const shape: { single: boolean } = { single: false };
  const recording = recordFunction(
    (inputs) => {
      const args = specs.map((spec, i) => gatherArgument(spec, i, inputs));
      const result = fn(...(args as unknown as TensorArgs<Specs>));
      shape.single = result instanceof tf.Tensor;
      return result instanceof tf.Tensor ? { result } : ((result ?? {}) as Record<string, tf.Tensor>);
    },
    Object.assign({}, ...specs.map(flattenSpec)) as Record<string, TensorSpec>,
    options.weights ?? 'frozen',
  );
  const onnx = lower(optimise(recording.graph, options.dump), await targetOf(options.provider));
  const staying = stayingPorts(onnx, recording, options);
  const session = await openSession(encodeModel(onnx), onnx.inputs, onnx.outputs, options, staying);
  return makeExecutable(name, specs, recording, session, shape.single);
}

/**
 * The ports of what stays, where there is a device with a memory of its own: results that may, and variables. Truth values it
 * cannot hold.
 */
function stayingPorts(
  { outputs }: OnnxGraph,
  { graph, writes }: Recording,
  { provider, mayStay = () => false }: CompileOptions,
): string[] {
  if (provider !== 'webgpu') return [];
  const firstVariable = graph.outputs.length - writes.length;
  return graph.outputs.flatMap(({ name, value }, i) => {
    const port = outputs[i];
    const stays = value.dtype !== 'bool' && (i >= firstVariable || mayStay(name));
    return port !== undefined && stays ? [port.name] : [];
  });
}

/** ONNX operators for a graph of kernels, such as the target runs best. */
export function lower(graph: Graph, target: Target): OnnxGraph {
  const emitter = new Emitter(graph, target);
  for (const node of graph.nodes) kernelOf(node.kernel).lower(node, emitter);
  return emitter.finish();
}

/**
 * The names under which an argument's tensors enter the graph: `arg0`, or `arg1.x` for a record's field. Not plain numbers,
 * which JavaScript would put before all other names.
 */
function flattenSpec(spec: ArgSpec, index: number): Record<string, TensorSpec> {
  if (isTensorSpec(spec)) return { [`arg${index}`]: spec };
  return Object.fromEntries(Object.entries(spec).map(([name, field]) => [`arg${index}.${name}`, field]));
}

function gatherArgument(spec: ArgSpec, index: number, inputs: Readonly<Record<string, tf.Tensor>>) {
  if (isTensorSpec(spec)) return inputs[`arg${index}`];
  return Object.fromEntries(Object.keys(spec).map((name) => [name, inputs[`arg${index}.${name}`]]));
}

function makeExecutable<Specs extends readonly ArgSpec[], R extends Result>(
  name: string,
  specs: Specs,
  { graph, reads, writes }: Recording,
  session: Session,
  single: boolean,
): Executable<Specs, R> {
  let released = false;
  let running: Promise<Values[]> | undefined;
  const resultCount = graph.outputs.length - writes.length;
  const staying = async (
    ...args: readonly HostArg<ArgSpec>[]
  ): Promise<ComputedTensor | Record<string, ComputedTensor>> => {
    if (released) throw new Error(`${name} was released`);
    if (running !== undefined) throw new Error(`${name} is still running: its calls must not overlap`);
    const given = specs.flatMap((spec, i) => flattenArgument(name, spec, i, args[i]));
    try {
      running = runLive(given, reads, session);
      const arrays = await running;
      requireSizes(name, graph, arrays);
      assignAll(writes.map(({ variable }, i) => [variable, arrays[resultCount + i] as Values]));
      const results = graph.outputs.slice(0, resultCount).map(({ name: key, value }, i) => {
        const tensor: ComputedTensor = { data: arrays[i] as Values, shape: value.shape, dtype: value.dtype };
        return [key, tensor] as const;
      });
      return single ? (results[0]?.[1] as ComputedTensor) : Object.fromEntries(results);
    } finally {
      running = undefined;
    }
  };
  const call = async (...args: readonly HostArg<ArgSpec>[]): Promise<unknown> => {
    const results = await staying(...args);
    if (single) return atHome(results as ComputedTensor);
    const entries = Object.entries(results as Record<string, ComputedTensor>);
    return Object.fromEntries(await Promise.all(entries.map(async ([key, tensor]) => [key, await atHome(tensor)])));
  };
  const release = async (): Promise<void> => {
    released = true;
    // A call that is under way gets its result.
    await running?.catch(() => undefined);
    await session.release();
  };
  return Object.assign(call, { staying, release }) as unknown as Executable<Specs, R>;
}

/** @throws Error if ONNX Runtime gave other shapes than were traced; nothing stays on a device then */
function requireSizes(name: string, { outputs }: Graph, arrays: readonly Values[]): void {
  outputs.forEach(({ name: key, value: { shape } }, i) => {
    if (arrays[i]?.length === sizeOf(shape)) return;
    for (const values of arrays) disposeOf({ values });
    throw new Error(`${name} gave ${arrays[i]?.length} values for "${key}" of shape [${shape}]: please report this`);
  });
}

/** The tensor with its values here, and no longer there. */
async function atHome({ data, ...tensor }: ComputedTensor): Promise<HostTensor> {
  const here = await takenHome({ data });
  return { ...tensor, data: here.data as HostArray };
}

/** @throws Error if an array's length is not what the compiled shape needs */
function flattenArgument(name: string, spec: ArgSpec, index: number, arg: HostArg<ArgSpec> | undefined): Values[] {
  if (isTensorSpec(spec)) return [checked(name, `argument ${index}`, spec, arg as Values | undefined)];
  const record = arg as Readonly<Record<string, Values>> | undefined;
  return Object.entries(spec).map(([key, field]) => checked(name, `argument ${index}.${key}`, field, record?.[key]));
}

function checked(name: string, what: string, { shape, dtype = 'float32' }: TensorSpec, values?: Values): Values {
  const expected = sizeOf(shape);
  if (values !== undefined && values.length === expected) return isResident(values) ? values : viewAs(values, dtype);
  const given = values === undefined ? 'nothing' : `${values.length} values`;
  throw new Error(
    `${name} was compiled for ${what} of shape [${shape}], ${expected} values, and got ${given}; ` +
      'shapes are static: compile once per shape',
  );
}
