/** What `compile` takes and gives: shapes in, host arrays at call time. */
import type { tf } from '../tf.ts';

export type DType = 'float32' | 'int32' | 'bool';

/** The shape and type of a tensor that a compiled function takes. */
export interface TensorSpec {
  readonly shape: readonly number[];
  /** `float32` by default. */
  readonly dtype?: DType;
}

/** One argument of a compiled function: a tensor, or a record of tensors. */
export type ArgSpec = TensorSpec | { readonly [name: string]: TensorSpec };

export type HostArray = Float32Array | Int32Array | Uint8Array;

/** A tensor's values outside any backend. */
export interface HostTensor {
  readonly data: HostArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Values that stayed on the device that computed them; compiled functions take them as they take arrays. */
export interface Resident {
  /** How many they are. */
  readonly length: number;
  /** A copy of them. */
  read(): Promise<HostArray>;
  /** Frees them: nobody else does. */
  dispose(): void;
}

/** Values, wherever they are. */
export type Values = HostArray | Resident;

/** A tensor's values, here or where they were computed. */
export interface ComputedTensor {
  readonly data: Values;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** What the function itself receives for an argument. */
export type TensorArg<A> = A extends TensorSpec ? tf.Tensor : { readonly [K in keyof A]: tf.Tensor };
/** What the compiled function receives for it: the values, row-major. */
export type HostArg<A> = A extends TensorSpec ? Values : { readonly [K in keyof A]: Values };

export type TensorArgs<Specs extends readonly ArgSpec[]> = { [I in keyof Specs]: TensorArg<Specs[I]> };
export type HostArgs<Specs extends readonly ArgSpec[]> = { [I in keyof Specs]: HostArg<Specs[I]> };

/** A function of tensors may return one tensor, a record of them, or (for its assignments alone) nothing. */
export type Result = tf.Tensor | { readonly [name: string]: tf.Tensor } | null | undefined;
/** The same in host arrays; of nothing, an empty record. */
export type HostResult<R extends Result> = R extends tf.Tensor
  ? HostTensor
  : R extends null | undefined
    ? Readonly<Record<string, never>>
    : { readonly [K in keyof R]: HostTensor };
/** The same, some of them where they were computed. */
export type StayingResult<R extends Result> = R extends tf.Tensor
  ? ComputedTensor
  : R extends null | undefined
    ? Readonly<Record<string, never>>
    : { readonly [K in keyof R]: ComputedTensor };

/** A function ready to run on plain arrays. Calls must not overlap. */
export interface Executable<Specs extends readonly ArgSpec[], R extends Result> {
  (...args: HostArgs<Specs>): Promise<HostResult<R>>;
  /** As a call; outputs that may stay (`PrepareOptions`) are left on a device that has a memory of its own. */
  staying(...args: HostArgs<Specs>): Promise<StayingResult<R>>;
  /** Frees what it holds; calling it afterwards is an error. */
  release(): Promise<void>;
}

/**
 * `frozen`: variables read while tracing become constants (attacks). `live`: they become inputs, read again at every call,
 * and variables assigned while tracing are written back after it (training). On a device that has a memory of its own both
 * stay, where the next call finds them; `await variable.data()` reads them, and `dataSync` cannot.
 */
export type Weights = 'frozen' | 'live';

export interface PrepareOptions {
  readonly weights?: Weights;
  /** What it is called in errors and dumps. */
  readonly name?: string;
  /** Whether an output, by its name, may stay where it is computed: what the next call takes as it is. None by default. */
  readonly mayStay?: (output: string) => boolean;
}

/** Turns a function of tensors into an `Executable`: `compile` does, and so does the eager reference. */
export type Prepare = <const Specs extends readonly ArgSpec[], R extends Result>(
  fn: (...args: TensorArgs<Specs>) => R,
  specs: Specs,
  options?: PrepareOptions,
) => Promise<Executable<Specs, R>>;
