/** Laws on side effects: an attack has none. */
import { tf } from '../tf.ts';
import { type Law, requires, type Subject, sameBytes } from './law.ts';
import {
  advance,
  begin,
  candidates,
  contextOf,
  IDS,
  imageOf,
  type Performance,
  RADII,
  repeated,
  smooth,
} from './stage.ts';

const onSmooth = ({ attack, norm }: Subject): Performance => ({
  attack,
  norm,
  classifier: smooth,
  ids: IDS,
  epsilons: repeated(RADII[norm][1], IDS.length),
  targeted: false,
});

const valuesOf = (tensor: tf.Tensor): Float32Array => Float32Array.from(tensor.dataSync());

const leavesItsInputs: Law = {
  name: 'leaves its inputs as they were',
  check: (subject) =>
    tf.tidy(() => {
      const context = contextOf(onSmooth(subject), repeated(0, IDS.length), 'init');
      const { clean, label, target, epsilon, iteration } = context;
      const state = subject.attack.init(clean, context);
      requires(!clean.isDisposed, () => 'init disposes of clean; the harness owns every tensor');
      const kept = candidates({ x: clean }, IDS).every(({ x }, row) => sameBytes(x, imageOf(IDS[row] as number)));
      requires(kept, () => 'init changes clean');

      const inputs = Object.entries({ ...state, clean, label, target, epsilon, iteration });
      const before = inputs.map(([, tensor]) => valuesOf(tensor));
      subject.attack.step(state, context);
      inputs.forEach(([name, tensor], i) => {
        requires(!tensor.isDisposed, () => `step disposes of ${name}; the harness owns every tensor`);
        requires(sameBytes(valuesOf(tensor), before[i]), () => `step changes ${name}`);
      });
    }),
};

const leavesNothingBehind: Law = {
  name: 'leaves nothing in memory but its state',
  check: (subject) => {
    const before = tf.memory().numTensors;
    const state = begin(onSmooth(subject));
    const next = advance(onSmooth(subject), state, repeated(0, IDS.length));
    const promised = new Set([...Object.values(state), ...Object.values(next)].map(({ id }) => id)).size;
    const alive = tf.memory().numTensors - before;
    tf.dispose([state, next]);
    requires(
      alive === promised,
      () => `${alive} tensors live on and its states have ${promised}; do without tf.keep and tf.variable`,
    );
  },
};

export const PURITY: readonly Law[] = [leavesItsInputs, leavesNothingBehind];
