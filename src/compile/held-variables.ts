/** Variables while a function is traced: assignments must not last, and new variables must be real. */
import { tf } from '../tf.ts';
import { BACKEND, callSite } from './recording-backend.ts';
import { type DataId, type Trace, tensorInfo } from './trace.ts';

/** A variable kept alive, so that it can be given back the data that it had before the trace assigned it. */
export class HeldVariable {
  readonly variable: tf.Variable;
  readonly #dataId: DataId;
  readonly #backend: tf.KernelBackend;

  constructor(variable: tf.Variable) {
    this.variable = variable;
    this.#dataId = variable.dataId;
    this.#backend = tensorInfo(variable.dataId).backend;
    this.#backend.incRef(this.#dataId);
  }

  /** Called while the recorder is the current backend. */
  letGo(): void {
    if (this.variable.dataId === this.#dataId) {
      this.#backend.disposeData(this.#dataId);
      return;
    }
    // What `assign` did, backwards; the extra reference that was held becomes the variable's own.
    tf.engine().disposeTensor(this.variable);
    this.variable.dataId = this.#dataId;
    tf.engine().incRef(this.variable, null as unknown as tf.KernelBackend);
  }
}

/**
 * While tracing, variables that the function creates (an optimiser's slots, on its first step) are made for real on the
 * backend that was current before. Returns the way to end that.
 */
export function realiseNewVariables(
  active: Trace,
  backend: string,
  onMade: (variable: tf.Variable) => void,
): () => void {
  const engine = tf.engine();
  const original = engine.makeVariable;
  engine.makeVariable = (initial, trainable, name, dtype) => {
    const data = active.owns(initial.dataId) ? active.constantData(initial.dataId) : undefined;
    if (data === undefined && active.owns(initial.dataId)) {
      throw new Error(`the variable "${name ?? ''}"${callSite()} is created from values known only at run time`);
    }
    void tf.setBackend(backend);
    const start = data === undefined ? initial : tf.tensor(data, initial.shape, initial.dtype);
    const variable = original.call(engine, start, trainable, name, dtype) as tf.Variable;
    void tf.setBackend(BACKEND);
    onMade(variable);
    return variable;
  };
  return () => {
    engine.makeVariable = original;
  };
}
