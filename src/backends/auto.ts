/** `--backend auto`: the fastest backend that works here, as trying them shows. */
import { availableParallelism, cpus, release } from 'node:os';
import { join } from 'node:path';
import type { Versions } from '../core/versions.ts';
import { USUAL } from './choose.ts';
import { BACKENDS_FILE, type Facts, keepVerdicts, knownVerdicts } from './known-verdicts.ts';
import { type Machine, machineHere } from './machine.ts';
import { BACKEND_NAMES, type BackendName } from './names.ts';
import { candidateOf, probe } from './probe.ts';
import { KINDS } from './table.ts';
import { addonStamp } from './tensorflow-package.ts';
import type { Verdict } from './verdict.ts';

export interface Trial {
  /** Gibbon's folder for what is kept between runs. */
  readonly home: string;
  readonly versions: () => Versions;
  /** Told before each is tried. */
  readonly onTrial?: (backend: BackendName) => void;
  readonly machine?: Machine;
  /** How one of them is tried: in a process of its own. */
  readonly tryOne?: (backend: BackendName) => Promise<Verdict>;
}

/** Slower than any other by far: it is what others are compared with. */
const REFERENCE: BackendName = 'cpu';

/** What may work on the machine, the usual one first. */
const candidatesOn = (machine: Machine): readonly BackendName[] =>
  BACKEND_NAMES.filter((name) => name !== REFERENCE && KINDS[name].lacks(machine) === undefined);

/**
 * What came of trying all backends that may work here, at this time or when it was last done under the same conditions. Nothing
 * is tried where there is but the usual one: then the table is empty.
 */
export async function verdictsHere(trial: Trial): Promise<readonly Verdict[]> {
  const { home, versions, machine = machineHere() } = trial;
  const candidates = candidatesOn(machine);
  if (candidates.every((name) => name === USUAL)) return [];
  return (
    (await knownVerdicts(join(home, BACKENDS_FILE), factsOf(machine, candidates, versions()))) ??
    (await tryAll(trial, candidates))
  );
}

/** The same, tried anew, be there one or many; what is found is kept. */
export async function tryAll(
  { home, versions, onTrial, machine = machineHere(), tryOne = (name) => probe(candidateOf(name)) }: Trial,
  candidates: readonly BackendName[] = candidatesOn(machine),
): Promise<readonly Verdict[]> {
  const facts = factsOf(machine, candidates, versions());
  const verdicts: Verdict[] = [];
  // One after the other: each is timed alone.
  for (const name of candidates) {
    onTrial?.(name);
    verdicts.push(await tryOne(name));
  }
  await keepVerdicts(join(home, BACKENDS_FILE), facts, verdicts);
  return verdicts;
}

const factsOf = (machine: Machine, candidates: readonly BackendName[], versions: Versions): Facts => ({
  versions: { ...versions, packages: { ...versions.packages } },
  node: process.version,
  system: `${process.platform} ${process.arch} ${release()}`,
  processor: `${cpus()[0]?.model ?? ''}, ${availableParallelism()}`,
  devices: machine.devices,
  drivers: machine.drivers,
  environment: machine.environment,
  addon: addonStamp(),
  candidates,
});
