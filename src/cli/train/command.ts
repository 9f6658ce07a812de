/** The command that makes one network, as its checkpoint states it. */
import { quoted } from '../command-line.ts';
import type { Given } from '../flags.ts';
import { trainFlags } from './flags.ts';
import type { Job } from './series.ts';

/** What is always stated, and what changes nothing about the network. */
const APART: readonly string[] = ['arch', 'training', 'config', 'resume', 'json', 'quiet'];

/**
 * `gibbon train --arch resnet18 --training standard`, then the flags that were given, wherever they were.
 *
 * @param given - the names of the flags that do not merely have their defaults
 * @param moduleValues - parameters of defenses, schedules and augmentations that were given
 */
export function commandOf({ values, owners }: Job, given: ReadonlySet<string>, moduleValues: Given): string {
  const own = Object.keys(trainFlags)
    .filter((name) => given.has(name) && !APART.includes(name))
    .map((name) => [name, values[name as keyof typeof values]] as const);
  const ofModules = Object.entries(moduleValues).filter(([flag]) => owners.some((name) => flag.startsWith(`${name}.`)));
  const words = [...own, ...ofModules].flatMap(([name, value]) => wordsOf(name, value));
  return ['gibbon train', '--arch', values.arch, '--training', values.training, ...words].join(' ');
}

function wordsOf(name: string, value: unknown): readonly string[] {
  if (value === true) return [`--${name}`];
  // A switch that is off is not there; a parameter says so.
  if (value === false) return name.includes('.') ? [`--${name}=false`] : [];
  return [`--${name}`, quoted(value === null ? 'auto' : String(value))];
}
