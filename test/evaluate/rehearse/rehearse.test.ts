import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../../attacks/fgsm.ts';
import noise from '../../../attacks/noise.ts';
import pgd from '../../../attacks/pgd.ts';
import spatial from '../../../attacks/spatial.ts';
import type { Attack, AttackContext, AttackState } from '../../../src/core/attack.ts';
import { UserError } from '../../../src/core/errors.ts';
import { rehearse } from '../../../src/evaluate/rehearse/rehearse.ts';
import { tf } from '../../../src/tf.ts';
import { CLASSES, customAttack, INPUT, planned } from '../fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const of = (attack: Attack, params: Record<string, unknown> = {}) =>
  rehearse({
    ...planned(attack, params),
    classifier: { input: INPUT, classes: CLASSES },
    norm: 'L2',
    targeted: false,
  });

const x = { shape: [4, 5, 1], dtype: 'float32' };

describe('a rehearsal', () => {
  it('finds what fgsm, pgd and noise need', async () => {
    expect(await of(fgsm)).toEqual({
      steps: 1,
      minimumNorm: false,
      targets: undefined,
      state: { x },
      init: { noise: [], gradients: 0, forwards: 0 },
      step: { noise: [], gradients: 1, forwards: 0 },
    });
    const uniformPoint = [
      { shape: [4, 5, 1], distribution: 'normal' },
      { shape: [1, 1, 1], distribution: 'uniform' },
    ];
    expect(await of(pgd, { steps: 7 })).toEqual({
      steps: 7,
      minimumNorm: false,
      targets: undefined,
      state: { x },
      init: { noise: uniformPoint, gradients: 0, forwards: 0 },
      step: { noise: [], gradients: 1, forwards: 0 },
    });
    expect(await of(pgd, { random: false })).toMatchObject({ init: { noise: [] } });
    expect(await of(noise)).toMatchObject({ steps: 0, init: { noise: uniformPoint }, step: { gradients: 0 } });
  });

  it('counts forwards that no gradient covers, stacked queries and the judging of the entering candidate included', async () => {
    const queries = customAttack({
      step: ({ x: at }, { logits, gradient }) => {
        const stacked = tf.concat([at, at.add(0.1)]) as tf.Tensor4D;
        logits(stacked);
        gradient(at.mul(0.5));
        gradient(at.mul(0.25));
        return { x: at };
      },
    });
    expect((await of(queries)).step).toEqual({ noise: [], gradients: 2, forwards: 3 });
  });

  it('says at how many classes an attack aims by itself, at most at all wrong ones', async () => {
    const aimed = { ...fgsm, targets: () => 2 };
    expect((await of(aimed)).targets).toBe(2);
    expect((await of({ ...fgsm, targets: () => 9 })).targets).toBe(CLASSES - 1);
    const spec = { ...planned(aimed), classifier: { input: INPUT, classes: CLASSES }, norm: 'L2' } as const;
    expect((await rehearse({ ...spec, targeted: true })).targets).toBeUndefined();
    await expect(of({ ...fgsm, targets: () => 0 })).rejects.toThrow(/targets\(params\) gives 0; .* at least 1/);
  });

  it('refuses an attack that looks at more than it declares', async () => {
    await expect(of({ ...fgsm, access: 'score' })).rejects.toThrow(/fgsm: step fails: it asks for a gradient/);
    await expect(of({ ...fgsm, access: 'decision' })).rejects.toThrow(/declare access: 'gradient'/);
  });

  it('asks where the threat is spatial for a pose, and refuses a smallest distance there', async () => {
    const rehearsed = (attack: Attack) =>
      rehearse({
        ...planned(attack),
        classifier: { input: INPUT, classes: CLASSES },
        norm: 'spatial',
        targeted: false,
      });
    expect((await rehearsed(spatial)).state.pose).toEqual({ shape: [3], dtype: 'float32' });
    await expect(rehearsed({ ...spatial, init: (x) => ({ x }) })).rejects.toThrow(/init returns no pose/);
    await expect(rehearsed({ ...spatial, init: (x) => ({ x, pose: tf.zeros([3, 2]) }) })).rejects.toThrow(
      /a pose of float32 \[2\] per image; where the threat is spatial, it must be float32 \[3\]/,
    );
    await expect(rehearsed({ ...spatial, minimumNorm: true })).rejects.toThrow(/spatial has no distance/);
    const ballBound = {
      ...spatial,
      step: (state: AttackState, { ball }: AttackContext) => ({ ...state, x: ball.project(state.x) }),
    };
    await expect(rehearsed(ballBound)).rejects.toThrow(
      /spatial: step fails: the threat spatial has no ball; use context.render/,
    );
  });

  it('leaves the backend and the tensors as they were', async () => {
    const before = tf.memory().numTensors;
    await of(pgd);
    await expect(of(customAttack({ init: () => ({}) as AttackState }))).rejects.toThrow();
    expect(tf.memory().numTensors).toBe(before);
    expect(tf.getBackend()).toBe('cpu');
  });

  const broken: readonly [string, Partial<Attack>, RegExp][] = [
    [
      'says it is finished in something other than one truth per image',
      { init: (x) => ({ x, isFinished: tf.zeros([3]) as tf.Tensor1D }) },
      /init returns a state whose isFinished is float32 \[3\]; it must be bool \[3\]/,
    ],
    [
      'has no candidate',
      { init: () => ({ y: tf.zeros([3]) }) as unknown as AttackState },
      /init returns a state without x/,
    ],
    [
      'carries a tensor whose first axis is not the image',
      { init: (clean) => ({ x: clean, best: tf.zeros([1]) }) },
      /init returns a state whose best has the shape \[1\] for 3 images/,
    ],
    [
      'carries a tensor made for a batch of one size',
      { init: (clean) => ({ x: clean, best: tf.zeros([3]) }) },
      /init returns a state whose best has the shape \[3\] for 2 images/,
    ],
    [
      'carries more of an image among more images',
      { init: (clean) => ({ x: clean, best: tf.zeros([clean.shape[0], clean.shape[0]]) }) },
      /its best is float32 \[3\] per image among 3 images and float32 \[2\] among 2/,
    ],
    [
      'carries what is no tensor',
      { init: (clean) => ({ x: clean, count: 3 }) as unknown as AttackState },
      /init returns a state whose count is not a tensor/,
    ],
    [
      'returns other images',
      { init: (clean) => ({ x: clean.tile([1, 2, 1, 1]) }) },
      /an x of float32 \[8, 5, 1\] per image/,
    ],
    [
      'drops a tensor on the way',
      { init: (clean) => ({ x: clean, best: clean }), step: (state) => ({ x: state.x }) },
      /init returns float32 \[4, 5, 1\] for best and step returns no such tensor/,
    ],
    [
      'adds a tensor on the way',
      { step: (state) => ({ x: state.x, more: state.x }) },
      /init returns no such tensor for more and step returns float32/,
    ],
    [
      'changes a type on the way',
      {
        init: (clean) => ({ x: clean, n: tf.zeros([clean.shape[0]], 'int32') }),
        step: ({ x: at }) => ({ x: at, n: tf.zeros([at.shape[0]]) }),
      },
      /init returns int32 \[\] for n and step returns float32 \[\]/,
    ],
    ['takes half a step', { steps: () => 0.5 }, /steps\(params\) gives 0.5/],
    ['takes fewer than no steps', { steps: () => -1 }, /steps\(params\) gives -1/],
    [
      'throws',
      {
        step: () => {
          throw new Error('out of ideas');
        },
      },
      /attack custom: step fails: out of ideas/,
    ],
  ];
  it.each(broken)('names an attack that %s', async (_, parts, message) => {
    const error = await of(customAttack(parts)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain('custom');
  });
});
