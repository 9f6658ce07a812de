/** An attack with its parameters, and an ensemble with its stages. */
import { type Attack, type Ensemble, isEnsemble } from '../core/attack.ts';
import { unknownName, usageError } from '../core/errors.ts';
import { resolveParams } from '../core/params.ts';
import type { Threat } from '../core/threat-model.ts';
import type { PlannedAttack, PlannedStage } from './plan.ts';

/**
 * @param given - values laid over the defaults
 * @param known - where an ensemble's stages are found
 * @param norm - which they may depend on
 * @throws UserError (usage) for parameters that it does not accept, and stages that there are not
 */
export function planAttack(
  attack: Attack | Ensemble,
  given: Readonly<Record<string, unknown>>,
  known: ReadonlyMap<string, Attack | Ensemble>,
  norm: Threat,
): PlannedAttack {
  const params = resolveParams(attack.name, attack.params, given);
  if (!isEnsemble(attack)) return { attack, params };
  const stages = attack.stages(params, norm).map(({ attack: name, params: own = {}, restarts }): PlannedStage => {
    const stage = known.get(name);
    if (stage === undefined) throw unknownName(`stage of ${attack.name}`, name, [...known.keys()]);
    if (isEnsemble(stage)) throw usageError(`${attack.name}: its stage ${name} is made of other attacks itself`);
    const resolved = { attack: stage, params: resolveParams(name, stage.params, own) };
    return restarts === undefined ? resolved : { ...resolved, restarts };
  });
  if (stages.length === 0) throw usageError(`${attack.name} has no stages`);
  return { attack, params, stages };
}
