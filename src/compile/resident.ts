/** Values on a device, and how they come from there. */
import type { HostArray, Resident, Values } from './types.ts';

/** Values by name, here or on a device. */
export type Whereabouts = Readonly<Record<string, Values>>;

export const isResident = (values: Values | undefined): values is Resident =>
  values !== undefined && !ArrayBuffer.isView(values);

/** All of them here: copies of those on a device, and otherwise the very arrays. */
export const home = async (values: Whereabouts): Promise<Readonly<Record<string, HostArray>>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(values).map(async ([name, one]) => [name, isResident(one) ? await one.read() : one] as const),
    ),
  );

/** Frees what is on a device. */
export function disposeOf(values: Whereabouts): void {
  for (const one of Object.values(values)) if (isResident(one)) one.dispose();
}

/** All of them here, and none there any more. */
export async function takenHome(values: Whereabouts): Promise<Readonly<Record<string, HostArray>>> {
  const here = await home(values);
  disposeOf(values);
  return here;
}
