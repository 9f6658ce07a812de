/** Runs of a session that reads variables anew every time. */
import type { Recording } from './recorder.ts';
import { disposeOf, isResident } from './resident.ts';
import { holdValues, valuesOfVariable } from './resident-variables.ts';
import type { Session } from './session.ts';
import type { Values } from './types.ts';

/** Runs with the variables as they are now. To a device they move with the first call that finds them elsewhere. */
export async function runLive(
  given: readonly Values[],
  reads: Recording['reads'],
  session: Session,
): Promise<Values[]> {
  const { upload } = session;
  const variables = reads.map(({ variable }) => variable);
  const isThere = variables.map((one) => isResident(valuesOfVariable(one)) || one.dtype === 'bool');
  if (upload === undefined || isThere.every(Boolean))
    return session.run([...given, ...variables.map(valuesOfVariable)]);
  const held = holdValues(variables);
  try {
    const moved = await allOrNone(
      held.values.map(async (values, i) => {
        return isThere[i] || isResident(values) ? values : await upload(values, given.length + i);
      }),
      (values, i) => !isThere[i] && disposeOf({ values }),
    );
    const running = session.run([...given, ...moved]);
    held.moveTo(moved.map((values, i) => (isThere[i] ? undefined : values)));
    return await running;
  } finally {
    held.letGo();
  }
}

/** All of them; where one fails, those that do not are undone. */
async function allOrNone<T>(promises: readonly Promise<T>[], undo: (one: T, i: number) => void): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find(({ status }) => status === 'rejected');
  if (failed === undefined) return Promise.all(promises);
  settled.forEach((one, i) => {
    if (one.status === 'fulfilled') undo(one.value, i);
  });
  throw (failed as PromiseRejectedResult).reason;
}
