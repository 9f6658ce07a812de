import { beforeAll, expect, it } from 'vitest';
import { carried } from '../../src/core/carried.ts';
import { tf } from '../../src/tf.ts';

beforeAll(() => tf.setBackend('cpu'));

it('a tensor is carried out of a gradient, and belongs to the scope it is released in', () => {
  const before = tf.memory().numTensors;
  const [square, gradient] = tf.tidy(() => {
    const carrier = carried<tf.Scalar>();
    const slope = tf.grad((x) => carrier.keep(x.square() as tf.Scalar).mul(3))(tf.scalar(2));
    return [carrier.release(), slope];
  });
  expect([square.dataSync()[0], gradient.dataSync()[0]]).toEqual([4, 12]);
  tf.dispose([square, gradient]);
  expect(tf.memory().numTensors).toBe(before);
});

it('what was not kept cannot be released', () => {
  expect(() => carried().release()).toThrow('no tensor was kept');
});
