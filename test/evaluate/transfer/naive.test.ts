import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../../attacks/fgsm.ts';
import noise from '../../../attacks/noise.ts';
import pgd from '../../../attacks/pgd.ts';
import { eager } from '../../../src/compile/eager.ts';
import type { Prepare } from '../../../src/compile/types.ts';
import type { Noise } from '../../../src/core/ball.ts';
import type { Classifier } from '../../../src/core/classifier.ts';
import { type Defended, defineDefense, isWrapper, type Wrapper } from '../../../src/core/defense.ts';
import { crossEntropy } from '../../../src/core/losses.ts';
import type { DefendedCell, Run } from '../../../src/core/run.ts';
import { backwardPass } from '../../../src/core/wrappers/backward-pass.ts';
import { preprocess } from '../../../src/core/wrappers/preprocess.ts';
import { randomised } from '../../../src/core/wrappers/randomised.ts';
import { runExperiment } from '../../../src/evaluate/experiment.ts';
import { forgetfulJournal } from '../../../src/evaluate/journal/journal.ts';
import type { JournalRecord } from '../../../src/evaluate/journal/record.ts';
import type { Contender, ExperimentPlan, PlannedAttack } from '../../../src/evaluate/plan.ts';
import { tf } from '../../../src/tf.ts';
import { contender, harness, INPUT, plan, planned, smallClassifier, smallDataset, together } from '../fixtures.ts';
import { untilItEnds } from '../interrupted.ts';

beforeAll(() => tf.setBackend('cpu'));

const network = smallClassifier();
const SEEDS = { answer: 1, adversary: 2 };

function defense(name: string, wrap: (classifier: Classifier) => Defended): Wrapper {
  const made = defineDefense({ name, title: name, paper: 'https://example.org', params: {}, wrap });
  if (!isWrapper(made)) throw new Error('it wraps');
  return made;
}

const toGrey = (x: tf.Tensor4D): tf.Tensor4D => x.mul(2).round().div(2);
/** Three levels of grey, whose gradient is hidden from the adversary, and not. */
const masked = defense('masked', (classifier) => ({ classifier: preprocess(classifier, toGrey) }));
const honest = defense('honest', (classifier) => ({
  classifier: preprocess(classifier, backwardPass({ forward: toGrey })),
}));
/** Noise, other for those who ask than for those who attack. */
const shake = (x: tf.Tensor4D, draw: Noise): tf.Tensor4D =>
  x.add(draw(INPUT, 'normal').mul(0.15)).clipByValue(0, 1) as tf.Tensor4D;
const random = defense('random', (classifier) => randomised(classifier, shake, { answers: 3, draws: 6 }, SEEDS));

const open = contender(network);
function behind(made: Wrapper): Contender {
  const { classifier, adversary } = made.wrap(network, {}, SEEDS);
  const defended = { defense: made, params: {}, undefended: 'standard', ...(adversary && { adversary }) };
  return { ...open, training: `standard+${made.name}`, classifier, defended };
}

const defendedPlan = (attacks: readonly PlannedAttack[], given: Partial<ExperimentPlan> = {}): ExperimentPlan =>
  plan(attacks, {
    contenders: [open, behind(masked), behind(honest), behind(random)],
    epsilons: [0, 0.05, 0.1],
    ...given,
  });

const strong = planned(pgd, { steps: 8, random: false });

describe('a naive attack on a defended network', () => {
  it('is made against the undefended one: by hand, one step of the gradient sign', async () => {
    const epsilon = 0.1;
    const { defended = [] } = await runExperiment(defendedPlan([planned(fgsm)], { epsilons: [epsilon] }), harness());
    const { classifier } = behind(honest);
    let [clean, standing, images] = [0, 0, 0];
    const classOf = ({ logits }: Classifier, x: tf.Tensor4D): number => logits(x).argMax(1).dataSync()[0] as number;
    for await (const { image, label } of smallDataset(20).stream({})) {
      tf.tidy(() => {
        const x = tf.tensor4d(image.slice(), [1, ...INPUT]);
        const loss = (z: tf.Tensor) =>
          crossEntropy(network.logits(z as tf.Tensor4D), tf.tensor1d([label], 'int32')).sum();
        const moved = x.add(tf.grad(loss)(x).sign().mul(epsilon)).clipByValue(0, 1) as tf.Tensor4D;
        // Who needs no attack is shown the image as it is.
        const shown = classOf(network, x) === label ? moved : x;
        const isClean = classOf(classifier, x) === label;
        images += 1;
        clean += isClean ? 1 : 0;
        standing += isClean && classOf(classifier, shown) === label ? 1 : 0;
      });
    }
    const found = defended.find(({ training }) => training === 'standard+honest');
    expect(found).toMatchObject({ images, cleanCorrect: clean, naiveCorrect: standing, attack: 'fgsm', epsilon });
    expect(standing).toBeLessThan(clean);
  });

  it('stands beside what the adaptive one does, as the cells say, at every radius and for attacks that look', async () => {
    const run = await runExperiment(defendedPlan([strong, planned(noise)]), harness());
    const { cells, defended = [], defenses = [], provenance } = run;
    expect(defended).toHaveLength(3 * 3);
    for (const { training, defense: name, attack, epsilon, adaptiveCorrect, cleanCorrect, naiveCorrect } of defended) {
      expect([attack, training]).toEqual(['pgd', `standard+${name}`]);
      const cell = cells.find((one) => one.training === training && one.attack === attack && one.epsilon === epsilon);
      expect(cell).toMatchObject({ robustCorrect: adaptiveCorrect, cleanCorrect });
      expect(naiveCorrect).toBeLessThanOrEqual(cleanCorrect);
      if (epsilon === 0) expect(naiveCorrect).toBe(cleanCorrect);
    }
    expect(defenses.map(({ name }) => name)).toEqual(['masked', 'honest', 'random']);
    expect(provenance.naiveRule).toMatch(/without the defense/);
  });

  it('is as strong as the defense is honest: what hides its gradient is told', async () => {
    const { checks, defended = [] } = await runExperiment(defendedPlan([strong], { epsilons: [0.2] }), harness());
    const at = (name: string) => defended.find((one) => one.defense === name);
    const [hidden, shown] = [at('masked'), at('honest')];
    expect(hidden?.naiveCorrect).toBe(shown?.naiveCorrect);
    expect(hidden?.adaptiveCorrect).toBeGreaterThan(hidden?.naiveCorrect ?? 0);
    expect(shown?.adaptiveCorrect).toBeLessThanOrEqual(shown?.naiveCorrect ?? 0);
    const check = checks.find(({ name }) => name === 'a naive attack is weaker than an adaptive one');
    expect(check?.verdict).toBe('warn');
    expect(check?.why).toContain('pgd on small-1/standard+masked');
  });

  it('finds nothing to warn of where every defense shows its gradient, and nothing unverified in other draws', async () => {
    const contenders = [open, behind(honest), behind(random)];
    const { checks, cells } = await runExperiment(defendedPlan([strong], { contenders }), harness());
    const verdictOf = (name: string) => checks.find((one) => one.name === name)?.verdict;
    expect(verdictOf('a naive attack is weaker than an adaptive one')).toBe('pass');
    expect(verdictOf('every claimed success is confirmed')).toBe('pass');
    // The attack does reach the draws that answer.
    const shaken = cells.filter(({ training, epsilon }) => training === 'standard+random' && epsilon === 0.1);
    for (const { robustCorrect, cleanCorrect } of shaken) expect(robustCorrect).toBeLessThan(cleanCorrect);
  });

  it('is compiled once for all radii, and ends where it ends at each of them alone', async () => {
    const attacks = [planned(pgd, { steps: 3 }), together('both', [planned(fgsm), planned(pgd, { steps: 4 })])];
    const contenders = [open, behind(honest)];
    const epsilons = [0.05, 0.2];
    const tried = async (radii: readonly number[]) => {
      const records: JournalRecord[] = [];
      const names: string[] = [];
      const prepare: Prepare = (fn, specs, options) => {
        names.push(options?.name ?? '');
        return eager(fn, specs, options);
      };
      const journal = { ...forgetfulJournal(''), append: async (record: JournalRecord) => void records.push(record) };
      const given = defendedPlan(attacks, { contenders, epsilons: radii });
      const { defended = [] } = await runExperiment(given, harness({ prepare, journal }));
      const rows = records.flatMap((one) =>
        one.kind === 'naive' ? one.rows.map((row) => JSON.stringify([one.attack, one.epsilon, row])) : [],
      );
      return { defended, rows: rows.sort(), names };
    };
    const all = await tried(epsilons);
    const alone = [];
    for (const epsilon of epsilons) alone.push(await tried([epsilon]));
    expect(all.rows).toEqual(alone.flatMap(({ rows }) => rows).sort());
    expect(all.names.toSorted()).toEqual(alone[1]?.names.toSorted());
    const numbers = (cells: readonly DefendedCell[]) =>
      cells
        .map(({ training, attack, epsilon, naiveCorrect }) => [training, attack, epsilon, naiveCorrect].join())
        .sort();
    expect(numbers(all.defended)).toEqual(numbers(alone.flatMap(({ defended }) => defended)));
  });

  it('needs the undefended network in the run', async () => {
    const alone = defendedPlan([strong], { contenders: [behind(honest)] });
    await expect(runExperiment(alone, harness())).rejects.toThrow(
      'small-1/standard+honest is defended, and small-1/standard, the same network without its defense, is not in the run',
    );
  });

  it('is none where no attack looks at a network, and still the run says what its networks stand behind', async () => {
    const { defended, defenses } = await runExperiment(defendedPlan([planned(noise)]), harness());
    expect([defended, defenses?.map(({ name }) => name)]).toEqual([undefined, ['masked', 'honest', 'random']]);
  });

  it('is left out of runs that have no defense', async () => {
    const run = await runExperiment(plan([strong]), harness());
    expect([run.defended, run.defenses, run.provenance.naiveRule]).toEqual([undefined, undefined, undefined]);
    expect(run.checks.map(({ name }) => name)).not.toContain('a naive attack is weaker than an adaptive one');
  });
});

describe('an interrupted run of defenses', () => {
  const attacks = [planned(pgd, { steps: 3 }), planned(fgsm)];
  const contenders = [open, behind(honest), behind(random)];
  const made = (batch: number): ExperimentPlan => defendedPlan(attacks, { contenders, batch, epsilons: [0.05, 0.1] });

  const timeless = ({ cells, defended, defenses, checks }: Run) => ({
    cells: cells.map((cell) => ({ ...cell, seconds: 0 })),
    ...{ defended, defenses, checks },
  });

  it('ends in the same numbers when it is resumed after every three records, and tries nothing twice', async () => {
    const uninterrupted = await runExperiment(made(8), harness());
    const records: JournalRecord[] = [];
    const { run, attempts } = await untilItEnds((attempt) => made(3 + (attempt % 4)), { records, limit: 3 });
    expect(attempts).toBeGreaterThan(4);
    expect(run === undefined ? undefined : timeless(run)).toEqual(timeless(uninterrupted));
    const rows = records.flatMap((record) => (record.kind === 'naive' ? record.rows : []));
    const known = uninterrupted.cells.find(({ training }) => training === 'standard')?.cleanCorrect ?? 0;
    expect(rows).toHaveLength(known * attacks.length * 2);
  });
});
