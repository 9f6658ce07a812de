import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { type Attack, type Ensemble, isEnsemble } from '../../src/core/attack.ts';
import { ATTACK_LAWS } from '../../src/laws/all.ts';
import { BrokenLaw } from '../../src/laws/law.ts';
import { tf } from '../../src/tf.ts';

import { FAULTY, FAULTY_POSES, FITTED, RIGHT, RIGHT_POSE } from './faulty.ts';

const ofProgram = readdirSync(join(PACKAGE_ROOT, 'attacks')).filter((file) => file.endsWith('.ts'));
const files = [...ofProgram.map((file) => join('attacks', file)), join('examples', 'momentum.ts')];
const found = await Promise.all(
  files.map(async (file): Promise<[string, Attack | Ensemble]> => {
    const { default: attack } = (await import(join(PACKAGE_ROOT, file))) as { default: Attack | Ensemble };
    return [file, attack];
  }),
);
// What is made of others is as lawful as they are.
const attacks = found.filter((entry): entry is [string, Attack] => !isEnsemble(entry[1]));
const laws = ATTACK_LAWS.map((law) => [law.name, law] as const);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(attacks)('%s', (file, attack) => {
  describe.each(attack.norms)('in %s', (norm) => {
    it.each(laws)('%s', (_, { check }) => check({ attack, file, norm }));
  });
});

describe('the laws', () => {
  it.each(laws)('pass an attack that is right: it %s', async (_, { check }) => {
    for (const attack of [RIGHT, RIGHT_POSE])
      for (const norm of attack.norms) await check({ attack, file: 'faulty.ts', norm });
  });

  it.each(laws)('pass an attack that is right and fitted first: it %s', async (_, { check }) => {
    for (const norm of FITTED.norms) await check({ attack: FITTED, file: 'faulty.ts', norm });
  });

  it.each([...FAULTY, ...FAULTY_POSES])('catch an attack that %s', async (_, { law: name, complaint, attack }) => {
    const law = ATTACK_LAWS.find((candidate) => candidate.name === name);
    const norm = attack.norms.includes('spatial') ? 'spatial' : 'L2';
    const verdict = (async () => law?.check({ attack, file: 'faulty.ts', norm }))();
    await expect(verdict).rejects.toThrow(complaint);
    await expect(verdict).rejects.toBeInstanceOf(BrokenLaw);
  });

  it('have each caught somebody', () => {
    expect(new Set([...FAULTY, ...FAULTY_POSES].map(([, { law }]) => law))).toEqual(
      new Set(ATTACK_LAWS.map(({ name }) => name)),
    );
  });
});
