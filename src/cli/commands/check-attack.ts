import { type Attack, isEnsemble } from '../../core/attack.ts';
import { UserError, usageError } from '../../core/errors.ts';
import { p } from '../../core/params.ts';
import type { Threat } from '../../core/threat-model.ts';
import type { Verdict } from '../../laws/verdict.ts';
import { defineCommand, EXIT } from '../command.ts';
import { progressLine } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { loadAttackFile } from '../user-files.ts';

export const checkAttack = defineCommand({
  words: 'FILE',
  flags: { json: p.boolean(false, 'print the verdicts as JSON') },
  run: async ({ values, words, terminal }) => {
    const [file, ...more] = words;
    if (file === undefined || more.length > 0) {
      throw usageError('give one file: gibbon check-attack my-attack.ts');
    }
    const attack = await loadAttackFile(file);
    if (isEnsemble(attack)) throw new UserError(`${file} is made of other attacks: check those`);
    const { verdicts, total } = await judged(attack, file, terminal);
    if (values.json) terminal.print(JSON.stringify(verdicts, null, 2));
    else for (const line of inLines(attack, verdicts, total / attack.norms.length)) terminal.print(line);
    return verdicts.every(({ holds }) => holds) ? EXIT.ok : EXIT.failed;
  },
});

interface Judged {
  readonly verdicts: readonly Verdict[];
  /** Verdicts there would be if no law that comes first were broken. */
  readonly total: number;
}

/** All laws in all norms of the attack. */
async function judged(attack: Attack, file: string, terminal: Terminal): Promise<Judged> {
  // Loaded only now, for they bring the compiler.
  const [{ tf }, { verdictsOn, LAWS }] = await Promise.all([import('../../tf.ts'), import('../../laws/verdict.ts')]);
  await tf.setBackend('cpu');
  const line = progressLine(terminal);
  const verdicts: Verdict[] = [];
  const total = attack.norms.length * LAWS;
  try {
    for (const norm of attack.norms) {
      for await (const verdict of verdictsOn(attack, file, norm)) {
        verdicts.push(verdict);
        line.show({ label: attack.name, done: verdicts.length, total, unit: 'laws', passing: false });
        // Ctrl-C and the terminal get their turn.
        await new Promise(setImmediate);
      }
    }
  } finally {
    line.end();
  }
  return { verdicts, total };
}

/**
 * A law that says the same in all norms is one line.
 *
 * @param known - laws that there are
 */
function inLines({ name, title, norms }: Attack, verdicts: readonly Verdict[], known: number): string[] {
  const laws = [...new Set(verdicts.map(({ law }) => law))];
  const broken = verdicts.filter(({ holds }) => !holds);
  const lines = laws.flatMap((law) => {
    const failed = broken.filter((verdict) => verdict.law === law);
    if (failed.length === 0) return [`  holds   ${law}`];
    return failed.flatMap(({ norm, complaint, counterexample }) => [
      `  BROKEN  ${law} (${norm}): ${complaint}`,
      ...(counterexample === undefined ? [] : [`          smallest case found: ${counterexample}`]),
    ]);
  });
  const names = (of: readonly Threat[]): string => of.join(', ');
  const lawsBroken = new Set(broken.map(({ law }) => law)).size;
  const untried = verdicts.length < known * norms.length ? '; mend it first: the laws after it cannot be tried' : '';
  return [
    `${name}: ${title}, in ${names(norms)}. An attack`,
    ...lines,
    broken.length === 0
      ? `all ${known} laws hold`
      : `${lawsBroken} of ${known} laws ${lawsBroken === 1 ? 'is' : 'are'} broken${untried}`,
  ];
}
