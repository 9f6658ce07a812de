import { beforeAll, describe, expect, it } from 'vitest';
import pgd from '../../attacks/pgd.ts';
import { sweptOf } from '../../bench/sweep/loop.ts';
import type { SweepSpec } from '../../bench/sweep/sweep.ts';
import { isAbove, sweepTable } from '../../bench/sweep/table.ts';
import { apart, bracketed, fixed, type OurSwept, sweep } from '../../bench/sweep/ways.ts';
import { findCheckpoint } from '../../src/cli/checkpoints.ts';
import { openContender } from '../../src/cli/experiment/contenders.ts';
import { openDataset } from '../../src/data/registry.ts';
import { planAttack } from '../../src/evaluate/plan-attack.ts';
import { tf } from '../../src/tf.ts';

const STEPS = 5;
const IMAGES = 12;
const epsilons = [0, 0.1, 0.2];

describe('the ways to sweep over the radii', () => {
  let taken: { readonly bracketed: OurSwept; readonly apart: OurSwept; readonly fixed: OurSwept };

  beforeAll(async () => {
    await tf.setBackend('cpu');
    const named = { architecture: 'vgg16', training: 'standard' };
    const path = findCheckpoint('mnist', named.architecture, named.training);
    if (path === undefined) throw new Error('the bundled VGG-16 is missing');
    const spec: SweepSpec = {
      contender: (await openContender({ kind: 'checkpoint', path, ...named }, {})).contender,
      dataset: await openDataset('mnist', 'test'),
      planned: planAttack(pgd, { steps: STEPS, step: 0.04 }, new Map(), 'Linf'),
      ...{ images: IMAGES, epsilons, seed: 0, batch: 8, clock: 'wall' },
    };
    const versions = { gibbon: 'test', commit: null, packages: {} };
    taken = {
      bracketed: await sweep(bracketed, spec, versions),
      apart: await sweep(apart, spec, versions),
      fixed: await sweep(fixed, spec, versions),
    };
  });

  it('find the same with slots and in fixed batches', () => {
    expect(taken.apart.standing).toEqual(taken.fixed.standing);
    const stood = taken.apart.standing.map((standing) => standing.filter((byte) => byte === 1).length);
    expect(stood[0]).toBeGreaterThan(stood[2] ?? 0);
  });

  it('leave no image standing in brackets that falls on its own', () => {
    taken.bracketed.standing.forEach((standing, radius) => {
      standing.forEach((byte, image) => {
        expect(byte).toBeLessThanOrEqual(taken.apart.standing[radius]?.[image] ?? 0);
      });
    });
  });

  it('cost the less, the more they know', () => {
    const attacked = taken.apart.standing[0]?.filter((byte) => byte === 1).length ?? 0;
    // One step shows that radius 0 holds nothing but the image.
    expect(taken.fixed.gradients).toBe(attacked * (1 + 2 * STEPS));
    expect(taken.apart.gradients).toBeLessThan(taken.fixed.gradients);
    expect(taken.bracketed.gradients).toBeLessThan(taken.apart.gradients);
    for (const { computed, gradients } of Object.values(taken)) expect(computed).toBeGreaterThanOrEqual(gradients);
  });

  it('account for all of their time', () => {
    const { parts, seconds } = taken.bracketed;
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(seconds, 6);
    expect(Math.min(...Object.values(parts))).toBeGreaterThan(0);
  });

  it('stand in a table beside the loop, or alone', () => {
    const [first, second, third] = [[taken.bracketed], [taken.apart], [taken.fixed]] as const;
    const ours = { bracketed: first, apart: second, fixed: third };
    const fallen = `0.5:${'0'.repeat(IMAGES)}`;
    const line = [`0.5:${'1'.repeat(IMAGES)}`, fallen, fallen, fallen].join(' ');
    const grid = { images: IMAGES, epsilons };
    const beside = sweepTable(grid, { ...ours, loop: [sweptOf(grid, STEPS, line)] }).join('\n');
    expect(beside).toMatch(/PyTorch: .* 15\.0 +15\.0 +4\.0 +2\.00 +1\.00\n/);
    expect(beside).toMatch(/PyTorch takes 1\.50 s/);
    expect(beside).toMatch(/ABOVE .* at 0(,|$)/m);
    expect(sweepTable(grid, { ...ours, loop: [] }).join('\n')).not.toMatch(/PyTorch:|NaN|ABOVE/);
  });
});

describe('what the loop says of a sweep', () => {
  const grid = { images: 3, epsilons: [0, 0.1] };

  it('is its seconds, and which images stood', () => {
    const swept = sweptOf(grid, 40, '0.1:111 2:111 3.5e-1:010');
    expect(swept).toMatchObject({ secondsAtZero: 2, gradients: 240, computed: 240, forwards: 9 });
    expect(swept.seconds).toBeCloseTo(2.45, 12);
    expect(swept.standing).toEqual([Uint8Array.of(1, 1, 1), Uint8Array.of(0, 1, 0)]);
  });

  it.each(['', '0.1:111 2:111', '0.1:111 2:111 3:01', '0.1:111 2:111 x:010', '0.1:111 2:111 3:01x'])(
    'is an error if it is "%s"',
    (line) => {
      expect(() => sweptOf(grid, 40, line)).toThrow(/not the seconds and images of 2 radii/);
    },
  );
});

describe('robust accuracy above that of another attack', () => {
  const standing = (length: number, byte: 0 | 1): Uint8Array => new Uint8Array(length).fill(byte);

  it('is beyond sampling where enough images stand against one attack alone', () => {
    expect(isAbove(standing(20, 1), standing(20, 0))).toBe(true);
    expect(isAbove(standing(5, 1), standing(5, 0))).toBe(false);
  });

  it('is none where nothing differs, or the other way round', () => {
    expect(isAbove(standing(20, 1), standing(20, 1))).toBe(false);
    expect(isAbove(standing(20, 0), standing(20, 1))).toBe(false);
  });
});
