import { AIM } from './aim.ts';
import { DECLARATION } from './declaration.ts';
import { FITTING } from './fitting-laws.ts';
import { INDEPENDENCE } from './independence.ts';
import type { Law } from './law.ts';
import { PLACE } from './place.ts';
import { PURITY } from './purity.ts';

/** The laws that every attack obeys, in each of its norms. */
export const ATTACK_LAWS: readonly Law[] = [...DECLARATION, ...PLACE, ...INDEPENDENCE, ...PURITY, ...FITTING, ...AIM];
