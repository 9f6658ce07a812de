/** From flags to a plan: everything that can be wrong is found here, before anything is written. */

import { compiles } from '../../backends/compiles.ts';
import type { Backend } from '../../backends/open.ts';
import type { Dataset } from '../../core/dataset.ts';
import { usageError } from '../../core/errors.ts';
import type { Values } from '../../core/params.ts';
import { trainedRadii } from '../../core/training-record.ts';
import { datasetNames, requireDatasetName } from '../../data/registry.ts';
import { needsFit } from '../../evaluate/fit/fit-images.ts';
import type { ExperimentPlan, PlannedAttack, Saving } from '../../evaluate/plan.ts';
import { requirePlan } from '../../evaluate/require-plan.ts';
import { headlineEpsilon } from '../../report/headline-epsilon.ts';
import type { Given } from '../flags.ts';
import { knownDefenses } from '../known-defenses.ts';
import { openJournaled } from '../open-backend.ts';
import { type Claim, checkOut, defaultFolder } from '../out-folder.ts';
import type { Terminal } from '../terminal.ts';
import type { ResolveOptions } from '../weights-word.ts';
import { requireAgreement } from './agreement.ts';
import { chooseAttacks, knownAttacks, sourcesOf, withoutBaseline } from './attacks.ts';
import { contenderFiles, openContender, requireFit } from './contenders.ts';
import { checkDefended, chooseDefenses, defendAll, NO_DEFENSE } from './defenses.ts';
import { checkRequirements } from './fail-under.ts';
import type { experimentFlags } from './flags.ts';
import { countOf, openFitImages, openImages, photographsOf } from './images.ts';
import type { Opened } from './opened.ts';
import { probesOf } from './sanity.ts';
import { tellApart } from './tell-apart.ts';
import { goalOf, radiiOf } from './threat.ts';
import { transferEpsilonOf } from './transfer.ts';
import { checkUserContenders } from './user-contenders.ts';

/** What single photographs are called where a dataset's name is asked for. */
const PHOTOGRAPHS = 'photographs';

/** Images per network on which small extra attacks check a run. */
const SANITY_IMAGES = 30;

/** Images per network and attack in the report's gallery. */
const GALLERY_ROWS = 4;

export interface Work {
  readonly plan: ExperimentPlan;
  readonly backend: Backend;
  /** Where the run is to be written; it need not exist yet. */
  readonly folder: string;
  readonly claim: Claim;
  /** Which adversarial images are to be saved there; by default none. */
  readonly saving?: Omit<Saving, 'folder'>;
  /** What the user should know before it starts, a line each. */
  readonly notes: readonly string[];
}

/**
 * What the flags ask for, checked.
 *
 * @param given - the flags that do not merely have their defaults
 * @param moduleValues - parameters of attacks that were given
 * @param words - plain words: photographs
 * @param fetching - where downloads are told of, and how they are stopped
 * @param now - names the folder if none is named
 * @param terminal - told which backend was chosen
 * @throws UserError: the first thing that is wrong
 */
export async function planOf(
  values: Values<typeof experimentFlags>,
  given: ReadonlySet<string>,
  moduleValues: Given,
  words: readonly string[],
  fetching: ResolveOptions,
  now: Date,
  terminal?: Terminal,
): Promise<Work> {
  const { norm, seed, restarts } = values;
  const known = await knownAttacks(values.attack);
  // Attacks that nobody asked for by name are made where they know the norm.
  const wanted = given.has('attack')
    ? values.attack
    : values.attack.filter((name) => known.get(name)?.norms.includes(norm));
  const knownByName = await knownDefenses(values.defense, known.keys());
  const defenses = await chooseDefenses(knownByName, values.defense, moduleValues);
  const others = defenses.map(({ defense }) => defense.name);
  const chosen = chooseAttacks(known, wanted, norm, moduleValues, others);
  const sources = await sourcesOf(values.attack);
  const attacks = chosen.map((planned): PlannedAttack => ({ ...planned, ...sources.get(planned.attack.name) }));
  const names = attacks.map(({ attack }) => attack.name);
  if (values.resume && values.out === null) throw usageError('--resume needs --out: the folder of the interrupted run');
  requireDatasetName(values.dataset);
  const photographs = photographsOf(values.images, words, given.has('dataset'));
  const backend = await openJournaled(values, terminal);
  const files = await contenderFiles({
    ...values,
    dataset: photographs.length > 0 ? PHOTOGRAPHS : values.dataset,
    isGiven: (flag) => given.has(flag),
  });
  const claim = values.out === null ? 'by-time' : values.resume ? 'resumed' : 'named';
  if (values.out !== null) await checkOut(values.out, claim);
  const opened: Opened[] = [];
  for (const file of files) opened.push(await openContender(file, fetching));
  const dataset = await openImages(values.dataset, photographs, opened);
  for (const one of opened) requireFit(one, dataset);
  const fitDataset = needsFit({ attacks }) ? await openFitImages(values.dataset, photographs, opened) : undefined;
  const images = countOf(values.images, dataset);
  const epsilons = radiiOf(values.epsilon, dataset, norm);
  checkRequirements(values['fail-under'] ?? [], names, epsilons);
  const goal = goalOf(values.target, dataset.classes);
  // What the report speaks of is what it shows.
  const records = opened.flatMap(({ contender }) => contender.record ?? []);
  const { epsilon: spokenOf } = headlineEpsilon({
    ...{ dataset: dataset.name, norm, epsilons },
    trainedRadii: trainedRadii(records, norm),
  });
  const transferEpsilon = transferEpsilonOf(values, spokenOf, dataset.input);
  // Beside networks of the user's own, --weights belongs to those, and --arch names them.
  if (values.weights !== null && !opened.some(({ isOwn }) => isOwn)) {
    if (given.has('arch')) requireAgreement('arch', values.arch, opened, ({ architecture }) => architecture.name);
    if (given.has('training')) requireAgreement('training', values.training, opened, ({ training }) => training);
  }
  const contenders = defendAll(tellApart(opened), defenses, seed);
  checkDefended(contenders, { compiled: compiles(backend.name) });
  const gradients = attacks.some(({ attack }) => attack.access === 'gradient');
  checkUserContenders(opened, { compiled: compiles(backend.name), gradients });
  const architectures = [...new Set(contenders.map(({ architecture }) => architecture.name))];
  const folder = values.out ?? defaultFolder(withoutBaseline(names), architectures, now);
  if (values.out === null) await checkOut(folder, claim);
  const sanityImages = values.sanity ?? (isLarge(dataset.input) ? 0 : SANITY_IMAGES);
  const plan: ExperimentPlan = {
    attacks,
    contenders,
    dataset,
    ...(fitDataset === undefined ? {} : { fitDataset }),
    images,
    epsilons,
    norm,
    goal,
    seed,
    restarts,
    earlyStop: values['early-stop'],
    batch: values.batch ?? usualBatch(dataset.input),
    galleryRows: GALLERY_ROWS,
    ...(sanityImages === 0
      ? {}
      : {
          sanity: {
            images: sanityImages,
            probes: probesOf({ known, attacks, norm, classes: dataset.classes.length }),
          },
        }),
    galleryEpsilon: spokenOf,
    ...(transferEpsilon === undefined ? {} : { transferEpsilon }),
  };
  requirePlan(plan);
  return { plan, backend, folder, claim, ...savingOf(values, given), notes: notesOf(opened, dataset) };
}

function savingOf(values: Values<typeof experimentFlags>, given: ReadonlySet<string>): Pick<Work, 'saving'> {
  const { 'save-images': kept, 'save-rounding': rounding } = values;
  if (kept !== 'none') return { saving: { kept, rounding } };
  if (given.has('save-rounding'))
    throw usageError('--save-rounding: no images are saved; add --save-images fooled or all');
  return {};
}

/** What was found out about the networks and the images, and about the ones before the others. */
function notesOf(opened: readonly Opened[], dataset: Dataset): string[] {
  return [...opened.flatMap(({ notes = [] }) => notes), ...(dataset.notes ?? []), ...oddities(opened, dataset)];
}

/** Photographs before networks of digits: nothing forbids it, and hardly anybody means it. */
function oddities(opened: readonly Opened[], dataset: Dataset): string[] {
  if (datasetNames.includes(dataset.name)) return [];
  return opened.flatMap(({ path, contender, trainedOn = '' }) => {
    const [height, width, channels] = contender.classifier.input;
    const isForeign = datasetNames.includes(trainedOn);
    if (channels === 3 && !isForeign) return [];
    const seen = `sees photographs as ${height}x${width} ${channels === 1 ? 'grey' : 'colour'} images`;
    return [`${path}: ${isForeign ? `was trained on ${trainedOn}, and ` : ''}${seen}`];
  });
}

/** Photographs of 224 pixels take a thousand times the memory of a digit. */
const usualBatch = (input: Dataset['input']): number => (isLarge(input) ? 8 : 64);

const isLarge = ([height, width]: Dataset['input']): boolean => height * width > 96 * 96;

/** The flags that choose among trained networks. */
const CHOOSING = ['arch', 'training'];

/** The flags that decide the numbers, as a config file that would give them again. */
export function configOf(
  values: Values<typeof experimentFlags>,
  given: ReadonlySet<string>,
  moduleValues: Given,
  { plan }: Work,
): Record<string, unknown> {
  const { attack, arch, weights, training, dataset, images, norm, target, restarts, seed, batch, backend } = values;
  const own = {
    'early-stop': values['early-stop'],
    sanity: values.sanity,
    attack: given.has('attack') ? attack : withoutBaseline(plan.attacks.map((planned) => planned.attack.name)),
    arch,
    weights,
    training,
    dataset,
    images,
    norm,
    target,
    restarts,
    seed,
    batch,
    backend,
    defense: values.defense.every((word) => word === NO_DEFENSE) ? null : values.defense,
  };
  const { transferEpsilon } = plan;
  const transfer = transferEpsilon === undefined ? {} : { transfer: true, 'transfer.epsilon': transferEpsilon };
  const present = Object.entries({ ...own, epsilon: plan.epsilons, ...transfer, ...moduleValues });
  // The files of --weights say which networks are meant; the defaults of what else would choose them do not.
  const isIdle = (flag: string): boolean => weights !== null && CHOOSING.includes(flag) && !given.has(flag);
  return Object.fromEntries(present.filter(([flag, value]) => value !== null && !isIdle(flag)));
}
