import { describe, expect, it } from 'vitest';
import { requireNorm } from '../../src/core/attack.ts';
import { isRadius, NORMS } from '../../src/core/threat-model.ts';

describe('a radius', () => {
  it.each(NORMS)('in %s is a number, 0 or more', (norm) => {
    expect([0, 0.5, 1].every((radius) => isRadius(norm, radius))).toBe(true);
    expect([-0.1, Number.NaN, Number.POSITIVE_INFINITY].some((radius) => isRadius(norm, radius))).toBe(false);
  });

  it('is at most 1 in Linf alone: pixels are in [0,1]', () => {
    expect(NORMS.filter((norm) => isRadius(norm, 1.01))).toEqual(['L2', 'L1']);
  });

  it('of spatial ends at half a turn', () => {
    expect([0, 1, 6].every((radius) => isRadius('spatial', radius))).toBe(true);
    expect(isRadius('spatial', 6.01)).toBe(false);
  });
});

describe('the norm of an attack', () => {
  it('is one that it knows, or an error that says which these are', () => {
    const attack = { name: 'bim', norms: ['Linf', 'L2'] as const };
    expect(() => requireNorm(attack, 'L2')).not.toThrow();
    expect(() => requireNorm(attack, 'L1')).toThrow(/bim does not attack in L1: it knows Linf, L2; choose another/);
  });
});
