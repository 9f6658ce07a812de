import { beforeAll, describe, expect, it } from 'vitest';
import { type Attack, defineAttack } from '../../src/core/attack.ts';
import type { Threat } from '../../src/core/threat-model.ts';
import { LAWS, type Verdict, verdictsOn } from '../../src/laws/verdict.ts';
import { tf } from '../../src/tf.ts';
import { FAULTY, FAULTY_POSES, RIGHT, RIGHT_POSE } from './faulty.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

async function verdicts(attack: Attack, threat: Threat): Promise<Verdict[]> {
  const found: Verdict[] = [];
  for await (const verdict of verdictsOn(attack, 'faulty.ts', threat)) found.push(verdict);
  return found;
}

async function brokenBy(attack: Attack, threat: Threat = 'Linf'): Promise<Verdict[]> {
  const all = await verdicts(attack, threat);
  expect(all).toHaveLength(LAWS);
  return all.filter(({ holds }) => !holds);
}

describe('verdicts on an attack', () => {
  it('find nothing wrong with one that is right', async () => {
    expect(await brokenBy(RIGHT)).toEqual([]);
  });

  it('find nothing wrong with one that shifts and turns rightly, and see through those that do not', async () => {
    expect(await brokenBy(RIGHT_POSE, 'spatial')).toEqual([]);
    for (const [, { law, complaint, attack }] of FAULTY_POSES) {
      const found = (await brokenBy(attack, 'spatial')).find((verdict) => verdict.law === law);
      expect(found?.complaint).toMatch(complaint);
    }
  });

  it('show the smallest scene that they find', async () => {
    const mixing = FAULTY.find(([fault]) => fault === 'mixes the images of a batch')?.[1].attack as Attack;
    const [found] = await brokenBy(mixing);
    expect(found?.law).toBe('takes every image on its own, with its own radius');
    expect(found?.counterexample).toMatch(
      /^images \d+, \d+, a classifier that is smooth, radius [\d.]+ in Linf, untargeted/,
    );
  });

  it('name a kernel that cannot be compiled, though it runs step by step', async () => {
    const odd = defineAttack({
      ...RIGHT,
      step: ({ x }, context) => ({
        x: RIGHT.step({ x }, context).x.add(
          tf
            .unique(x.reshape([-1]))
            .values.sum()
            .mul(0),
        ),
      }),
    });
    const found = await brokenBy(odd);
    expect(found.map(({ law, complaint }) => [law, complaint])).toContainEqual([
      'compiles, and is then what it is step by step',
      expect.stringMatching(/cannot be compiled.*Unique/),
    ]);
  });

  it('take what an attack throws for a broken law, and end there, for all that follow would say the same', async () => {
    const thrower: Attack = {
      ...RIGHT,
      step: () => {
        throw new Error('out of bananas');
      },
    };
    const found = await verdicts(thrower, 'Linf');
    expect(found.filter(({ holds }) => !holds)).toEqual([found.at(-1)]);
    expect(found.at(-1)?.complaint).toMatch(/out of bananas/);
  });
});
