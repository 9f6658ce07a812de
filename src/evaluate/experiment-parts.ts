/** What the numbers of an experiment depend on. */
import { codeOf } from '../core/attack.ts';
import { fitRuleOf, needsFit } from './fit/fit-images.ts';
import { selectImages } from './images.ts';
import { factParts, type Parts } from './journal/parts.ts';
import { type Contender, contenderName, type DefendedBy, type ExperimentPlan, type Harness } from './plan.ts';

/**
 * What decides the numbers, hashed thing by thing. The batch size is no part of it, for it changes nothing.
 *
 * Code is told apart by the versions of the program and its packages, by its commit, by the text of an attack's functions,
 * and by the bytes of a user's file. What such a file imports is not looked at, nor which changes make a commit `-dirty`.
 */
export async function journalParts(
  plan: ExperimentPlan,
  { backend, versions }: Pick<Harness, 'backend' | 'versions'>,
): Promise<Parts> {
  const { attacks, contenders, dataset, images, epsilons, norm, goal, seed, restarts, galleryRows, galleryEpsilon } =
    plan;
  const { earlyStop = true, sanity, transferEpsilon } = plan;
  const { name, split, labels, input } = dataset;
  const facts: Readonly<Record<string, unknown>> = {
    'the version of the program or its packages': versions,
    'the backend': backend,
    'the list of attacks': attacks.map(({ attack }) => attack.name),
    ...Object.fromEntries(attacks.map(({ attack, params }) => [`the parameters of ${attack.name}`, params])),
    ...Object.fromEntries(
      attacks.map(({ attack, source, stages }) => [
        `the code of ${attack.name}`,
        [
          codeOf(attack),
          source,
          stages?.map((stage) => [stage.attack.name, stage.params, stage.restarts, codeOf(stage.attack)]),
        ],
      ]),
    ),
    'the networks': contenders.map((contender) => [contenderName(contender), contender.sha256]),
    ...(contenders.some(({ defended }) => defended !== undefined) ? { 'the defenses': defensesOf(contenders) } : {}),
    'the dataset': [name, split, labels, input, await selectImages(dataset, images, seed).hash()],
    'the number of images': images,
    'the radii': epsilons,
    'the norm': norm,
    'the target': goal,
    'the seed': seed,
    'the number of restarts': restarts,
    'the early stop': earlyStop,
    'the gallery': [galleryRows, galleryEpsilon],
    'the sanity panel': [
      sanity?.images,
      sanity?.probes.map(({ name, planned: { attack, params } }) => [name, codeOf(attack), params]),
    ],
    'the transfer': [transferEpsilon],
    ...(needsFit(plan) ? { 'the images that attacks are fitted on': await fitRuleOf(plan) } : {}),
  };
  return factParts(facts);
}

/** Of every contender what it stands behind, code and all. */
const defensesOf = (contenders: readonly Contender[]): unknown =>
  contenders.map(({ defended }) => defended && [defended.defense.name, defended.params, ...codeOfDefense(defended)]);

const codeOfDefense = ({ defense, source }: DefendedBy): unknown[] => [String(defense.wrap), source];
