/** Values on a device, and how they come from there. */
import type { HostArray, Resident, Values } from './types.ts';

export const isResident = (values: Values | undefined): values is Resident =>
  values !== undefined && !ArrayBuffer.isView(values);

/** The values here: a copy of those on a device, and otherwise the very array. */
export const broughtHome = async (values: Values): Promise<HostArray> =>
  isResident(values) ? await values.read() : values;

/** Frees what is on a device. */
export function disposeOf(values: Readonly<Record<string, Values>>): void {
  for (const one of Object.values(values)) if (isResident(one)) one.dispose();
}
