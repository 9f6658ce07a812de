import type { Run } from '../core/run.ts';
import { BASELINE, type LineStyle, lineStyle } from './palette.ts';

/** How the lines of a run's attacks are drawn wherever each attack is a line: those that aim at nothing as the baseline. */
export function attackStyles({ attacks }: Run): (attack: string) => LineStyle {
  const blind = new Set(attacks.filter(({ access }) => access === 'none').map(({ name }) => name));
  const aimed = attacks.flatMap(({ name }) => (blind.has(name) ? [] : name));
  return (attack) => (blind.has(attack) ? BASELINE : lineStyle(Math.max(0, aimed.indexOf(attack))));
}
