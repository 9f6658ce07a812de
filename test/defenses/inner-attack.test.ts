import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pgdTraining from '../../defenses/pgd-training.ts';
import { type Attack, isEnsemble, type Loss } from '../../src/core/attack.ts';
import { sizeOf } from '../../src/core/ball.ts';
import type { PerturbRequest } from '../../src/core/defense.ts';
import { UserError } from '../../src/core/errors.ts';
import { requestOf } from '../../src/core/inner-attack.ts';
import { crossEntropy, klDivergence } from '../../src/core/losses.ts';
import { resolveParams } from '../../src/core/params.ts';
import { NORMS } from '../../src/core/threat-model.ts';
import { loadAttacks } from '../../src/discover/modules.ts';
import { type Network, stillOutputs, trainingLogits } from '../../src/models/network.ts';
import { tf } from '../../src/tf.ts';
import { perturber } from '../../src/train/perturb.ts';
import { randomImages, seededNoise } from '../core/batches.ts';
import { tinyNetwork, weightValues } from '../train/tiny.ts';

const IMAGES = 4;
const EPSILON = 0.1;
const registered = (await loadAttacks()) as ReadonlyMap<string, Attack>;
let network: Network;
let x: tf.Tensor4D;
let y: tf.Tensor1D;

beforeAll(async () => {
  await tf.setBackend('cpu');
  network = tinyNetwork();
  x = randomImages([IMAGES, 6, 6, 1], 1);
  y = tf.tensor1d([0, 1, 2, 0], 'int32');
});
afterAll(() => {
  network.dispose();
  tf.dispose([x, y]);
});

const still = (images: tf.Tensor4D): tf.Tensor2D => stillOutputs(network, images).logits;

function perturbed(request: PerturbRequest): tf.Tensor4D {
  const { classifier } = network;
  const perturb = perturber({ attacks: registered, classifier, still, norm: 'Linf', epsilon: EPSILON });
  return perturb(request, { x, y, noise: seededNoise(IMAGES, 3) });
}

const pgd = (params: Readonly<Record<string, unknown>>, others: Partial<PerturbRequest> = {}) =>
  perturbed({ attack: 'pgd', params, ...others });
const values = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];
const distance = (images: tf.Tensor4D, from: tf.Tensor4D): number =>
  Math.max(...values(sizeOf('Linf', images.sub(from))));

/** Few steps, of whatever kind an attack counts. */
const quick = ({ params }: Attack): Readonly<Record<string, number>> =>
  Object.fromEntries(['steps', 'queries', 'samples', 'probes'].flatMap((name) => (name in params ? [[name, 4]] : [])));

describe('every attack', () => {
  it.each([...registered.values()].map((attack) => [attack.name, attack] as const))(
    '%s stays in the ball as an inner attack, or is refused',
    (name, attack) =>
      tf.tidy(() => {
        const norm = NORMS.find((known) => attack.norms.includes(known)) ?? 'Linf';
        const perturb = perturber({
          attacks: registered,
          classifier: network.classifier,
          still,
          norm,
          epsilon: EPSILON,
        });
        const attempt = () => perturb({ attack: name, params: quick(attack) }, { x, y, noise: seededNoise(IMAGES, 3) });
        if (isEnsemble(attack)) expect(attempt).toThrow(/is made of other attacks/);
        else if (attack.minimumNorm === true)
          expect(attempt).toThrow(/looks for the smallest perturbation, be it beyond/);
        else if (attack.fit !== undefined) expect(attempt).toThrow(/is fitted to a finished network/);
        else if (!attack.norms.includes(norm)) expect(attempt).toThrow(/does not attack in Linf/);
        else expect(Math.max(...values(sizeOf(norm, attempt().sub(x))))).toBeLessThanOrEqual(EPSILON + 1e-5);
      }),
  );
});

describe('an inner attack', () => {
  it('raises the objective that it is given, further than it does by the way', () =>
    tf.tidy(() => {
      const clean = network.classifier.logits(x);
      const objective: Loss = (logits) => klDivergence(clean, logits);
      const start = x.add(seededNoise(IMAGES, 5)([6, 6, 1], 'normal').mul(0.001)) as tf.Tensor4D;
      const reached = (images: tf.Tensor4D) => values(objective(network.classifier.logits(images)).sum())[0] as number;
      const steered = reached(pgd({ steps: 5 }, { objective, start }));
      expect(steered).toBeGreaterThan(reached(pgd({ steps: 5 }, { start })) + 1e-6);
      expect(steered).toBeGreaterThan(10 * reached(start));
    }));

  it.each([
    ['apgd', { loss: 'dlr' }, /raises the DLR loss/],
    ['fab-t', {}, /looks for the smallest perturbation/],
    [
      'square',
      {},
      /^the inner attack raises the margin, and this training tells it what to raise: choose .* such as pgd$/,
    ],
  ] as const)('that would raise something else is refused: %s %j', (attack, params, message) =>
    tf.tidy(() => {
      const objective: Loss = (logits) => crossEntropy(logits, y);
      const attempt = () => perturbed({ attack, params, objective });
      expect(attempt).toThrow(message);
      expect(attempt).toThrow(UserError);
    }),
  );

  it.each(['pgd', 'apgd', 'bim', 'mi-fgsm'])('begins where it is told to: %s', (attack) =>
    tf.tidy(() => {
      const start = x.add(seededNoise(IMAGES, 7)([6, 6, 1], 'uniform').mul(0.05)).clipByValue(0, 1) as tf.Tensor4D;
      // A loss that is the same everywhere: nothing leads away from the start.
      const flat: Loss = (logits) => logits.mean(1).mul(0);
      const end = perturbed({ attack, params: { steps: 1 }, objective: flat, start });
      expect(distance(end, start)).toBeLessThan(1e-6);
      expect(distance(end, x)).toBeGreaterThan(0.02);
    }),
  );

  it('moves in the ball around what it is told to', () =>
    tf.tidy(() => {
      const around = x.add(0.3).clipByValue(0, 1) as tf.Tensor4D;
      for (const random of [true, false]) {
        const end = pgd({ steps: 3, random }, { around });
        expect(distance(end, around)).toBeLessThanOrEqual(EPSILON + 1e-6);
        expect(distance(end, x)).toBeGreaterThan(0.2);
      }
    }));

  it('may meet the network in training mode, and leaves no trace there', async () => {
    const before = await weightValues(network);
    const [inference, training] = tf.tidy(() =>
      (['inference', 'training'] as const).map((mode) => values(pgd({ steps: 2 }, { mode }))),
    );
    expect(training).not.toEqual(inference);
    expect(await weightValues(network)).toEqual(before);
  });

  it('of which a step is not asked outright may have none', () =>
    tf.tidy(() => {
      const params = resolveParams('pgd-training', pgdTraining.params, { attack: 'mi-fgsm', steps: 2 });
      const end = perturbed(requestOf(params, 2 * EPSILON));
      expect(distance(end, x)).toBeCloseTo(EPSILON, 5);
      expect(() => perturbed(requestOf({ ...params, step: 0.1 }, 1))).toThrow(
        /^mi-fgsm cannot be the inner attack of this training, which sets steps and step: choose .* such as .*pgd/,
      );
    }));

  it('takes the step that is usual in the training, not the one that is usual to itself', () =>
    tf.tidy(() => {
      const end = perturbed(requestOf({ attack: 'pgd', steps: 1, step: null }, 0));
      expect(values(end)).toEqual(values(pgd({ steps: 1, step: 0 })));
    }));
});

describe('training mode that leaves no trace', () => {
  it('computes as training does, dropout apart, and moves no running statistics', async () => {
    const moving = tinyNetwork();
    const keepAll = () => tf.ones([IMAGES, 6]);
    const before = await weightValues(moving);
    const found = tf.tidy(() => values(stillOutputs(moving, x).logits));
    expect(await weightValues(moving)).toEqual(before);
    const trained = tf.tidy(() => values(trainingLogits(moving, x, keepAll)));
    expect(await weightValues(moving)).not.toEqual(before);
    const bias = values(moving.model.getLayer('dense').weights[1]?.read() as tf.Tensor);
    // Dropout of rate 0.1 that drops nothing still scales by 1 / 0.9 what the dense layer sees.
    found.forEach((value, i) => {
      const own = bias[i % bias.length] as number;
      expect((value - own) / 0.9).toBeCloseTo((trained[i] as number) - own, 5);
    });
    moving.dispose();
  });
});
