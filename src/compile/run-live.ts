/** Runs of a session that reads variables anew every time. */
import type { Recording } from './recorder.ts';
import { isResident } from './resident.ts';
import { holdValues, valuesOfVariable } from './resident-variables.ts';
import type { Session } from './session.ts';
import type { HostArray, Resident, Values } from './types.ts';

/** Runs with the variables as they are now. To a device they move with the first call that finds them elsewhere. */
export async function runLive(
  given: readonly Values[],
  reads: Recording['reads'],
  { upload, run }: Session,
): Promise<Values[]> {
  const variables = reads.map(({ variable }) => variable);
  const values = variables.map(valuesOfVariable);
  const moves = (one: Values, i: number): one is HostArray => !isResident(one) && variables[i]?.dtype !== 'bool';
  if (upload === undefined || !values.some(moves)) return run([...given, ...values]);
  const held = holdValues(variables);
  try {
    const copies = await allOrNone(
      values.map(async (one, i) => (moves(one, i) ? await upload(one, given.length + i) : undefined)),
    );
    const running = run([...given, ...values.map((one, i) => copies[i] ?? one)]);
    held.moveTo(copies);
    return await running;
  } finally {
    held.letGo();
  }
}

/** All of them; where one fails, the others are freed. */
async function allOrNone(copies: readonly Promise<Resident | undefined>[]): Promise<(Resident | undefined)[]> {
  const settled = await Promise.allSettled(copies);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed === undefined) return Promise.all(copies);
  for (const one of settled) if (one.status === 'fulfilled') one.value?.dispose();
  throw failed.reason;
}
