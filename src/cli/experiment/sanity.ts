/** The probes of the sanity panel, made of the program's own attacks. */
import { type Attack, type Ensemble, isEnsemble } from '../../core/attack.ts';
import { resolveParams } from '../../core/params.ts';
import type { Threat } from '../../core/threat-model.ts';
import { type PlannedAttack, type PlannedStage, stagesOf } from '../../evaluate/plan.ts';
import type { Probe } from '../../evaluate/sanity/probes.ts';

const OBFUSCATED = 'https://arxiv.org/abs/1802.00420';
const CHECKLIST = 'https://arxiv.org/abs/1902.06705';
const AUTOATTACK = 'https://arxiv.org/abs/2003.01690';
const FAILURES = 'https://arxiv.org/abs/2106.09947';

/** Enough to find what a gradient should have found. */
const QUERIES = 500;
/** By how much an attack's steps are multiplied. */
const LONGER = 4;
/** Classes that the DLR loss needs, aimed at one of them or not. */
const DLR_CLASSES = 4;

export interface ProbeFacts {
  readonly known: ReadonlyMap<string, Attack | Ensemble>;
  /** What the run makes. */
  readonly attacks: readonly PlannedAttack[];
  readonly norm: Threat;
  readonly classes: number;
}

/** Those that the norm and the network's classes allow. */
export function probesOf({ known, attacks, norm, classes }: ProbeFacts): Probe[] {
  const stage = (name: string, params: Readonly<Record<string, unknown>>): PlannedStage | undefined => {
    const attack = known.get(name);
    if (attack === undefined || isEnsemble(attack) || !attack.norms.includes(norm)) return undefined;
    return { attack, params: resolveParams(name, attack.params, params) };
  };
  const made: readonly (Omit<Probe, 'planned'> & { readonly planned: PlannedStage | undefined })[] = [
    {
      name: 'more steps find no more',
      why: `The run's iterated attack with ${LONGER} times its steps, on images that withstood everything: what it still fools, the run has missed.`,
      link: CHECKLIST,
      planned: longer(attacks),
      on: 'survivors',
    },
    {
      name: 'another loss finds no more',
      why: 'Auto-PGD on the DLR loss, which no scale of the logits can silence, on images that withstood everything.',
      link: AUTOATTACK,
      planned: classes < DLR_CLASSES ? undefined : stage('apgd', { loss: 'dlr' }),
      on: 'survivors',
    },
    {
      name: 'a search without gradients finds no more',
      why: `Square with ${QUERIES} queries, on images that withstood everything: where it fools more than the gradient did, the gradient is masked or the attack too weak.`,
      link: OBFUSCATED,
      planned: stage('square', { queries: QUERIES }),
      on: 'survivors',
    },
    {
      name: 'a ball that holds grey reaches everything',
      why: 'Within this radius every image can become the same grey, so that PGD should leave no more than chance; what stands there, the gradient cannot reach.',
      link: FAILURES,
      planned: stage('pgd', {}),
      on: 'any',
    },
  ];
  return made.flatMap(({ planned, ...rest }) => (planned === undefined ? [] : [{ ...rest, planned }]));
}

/** The run's longest attack along gradients whose steps can be chosen, with more of them. */
function longer(attacks: readonly PlannedAttack[]): PlannedStage | undefined {
  const iterated = attacks
    .flatMap((planned) => stagesOf(planned))
    .filter(
      ({ attack: { access, minimumNorm, fit } }) => access === 'gradient' && minimumNorm !== true && fit === undefined,
    )
    .filter(({ params }) => typeof params.steps === 'number' && params.steps > 1)
    .sort((a, b) => (b.params.steps as number) - (a.params.steps as number));
  const [longest] = iterated;
  if (longest === undefined) return undefined;
  const steps = longest.attack.params.steps?.parse((longest.params.steps as number) * LONGER);
  return steps === undefined ? undefined : { ...longest, params: { ...longest.params, steps } };
}
