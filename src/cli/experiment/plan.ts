/** From flags to a plan: everything that can be wrong is found here, before anything is written. */
import type { Dataset } from '../../core/dataset.ts';
import { usageError } from '../../core/errors.ts';
import type { Values } from '../../core/params.ts';
import { openDataset } from '../../data/registry.ts';
import { requirePlan } from '../../evaluate/experiment.ts';
import type { ExperimentPlan, PlannedAttack } from '../../evaluate/plan.ts';
import { headlineEpsilon } from '../../report/headline-epsilon.ts';
import { type Backend, openBackend } from '../backend.ts';
import type { Given } from '../flags.ts';
import { checkOut, defaultFolder } from '../out-folder.ts';
import { shortPath } from '../paths.ts';
import { requireAgreement } from './agreement.ts';
import { chooseAttacks, knownAttacks, sourcesOf, withoutBaseline } from './attacks.ts';
import { checkpointFiles, openContender } from './contenders.ts';
import { checkRequirements } from './fail-under.ts';
import type { experimentFlags } from './flags.ts';
import { tellApart } from './tell-apart.ts';
import { goalOf, radiiOf } from './threat.ts';

/** Images per network and attack in the report's gallery. */
const GALLERY_ROWS = 4;

export interface Work {
  readonly plan: ExperimentPlan;
  readonly backend: Backend;
  /** Where the run is written; it need not exist yet. */
  readonly folder: string;
}

/**
 * What the flags ask for, checked.
 *
 * @param given - the flags that do not merely have their defaults
 * @param moduleValues - parameters of attacks that were given
 * @param now - names the folder if none is named
 * @throws UserError: the first thing that is wrong
 */
export async function planOf(
  values: Values<typeof experimentFlags>,
  given: ReadonlySet<string>,
  moduleValues: Given,
  now: Date,
): Promise<Work> {
  const { norm, seed, restarts, batch } = values;
  const chosen = chooseAttacks(await knownAttacks(values.attack), values.attack, norm, moduleValues);
  const sources = await sourcesOf(values.attack);
  const attacks = chosen.map((planned): PlannedAttack => {
    const source = sources.get(planned.attack.name);
    return source === undefined ? planned : { ...planned, source };
  });
  const names = attacks.map(({ attack }) => attack.name);
  if (values.resume && values.out === null) throw usageError('--resume needs --out: the folder of the interrupted run');
  const backend = await openBackend(values.backend);
  const dataset = await openDataset(values.dataset, 'test');
  checkImages(values.images, dataset);
  const epsilons = radiiOf(values.epsilon, dataset.name, norm);
  checkRequirements(values['fail-under'] ?? [], names, epsilons);
  const goal = goalOf(values.target, dataset.classes);
  const files = await checkpointFiles(values);
  if (values.out !== null) await checkOut(values.out, values.resume);
  const opened = await Promise.all(
    files.map(async (file) => ({ contender: await openContender(file, dataset), path: shortPath(file.path) })),
  );
  if (values.weights !== null) {
    if (given.has('arch')) requireAgreement('arch', values.arch, opened, ({ architecture }) => architecture.name);
    if (given.has('training')) requireAgreement('training', values.training, opened, ({ training }) => training);
  }
  const contenders = tellApart(opened);
  const architectures = [...new Set(contenders.map(({ architecture }) => architecture.name))];
  const folder = values.out ?? defaultFolder(withoutBaseline(names), architectures, now);
  if (values.out === null) await checkOut(folder, false);
  const { images } = values;
  const plan: ExperimentPlan = {
    attacks,
    contenders,
    dataset,
    images,
    epsilons,
    norm,
    goal,
    seed,
    restarts,
    batch,
    galleryRows: GALLERY_ROWS,
    // What the report speaks of is what it shows.
    galleryEpsilon: headlineEpsilon({ dataset: dataset.name, norm, epsilons }).epsilon,
  };
  requirePlan(plan);
  return { plan, backend, folder };
}

function checkImages(images: number, { name, split, size }: Dataset): void {
  if (images > size) throw usageError(`--images ${images}: the ${split} split of ${name} has ${size} images`);
}

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
  const own = { attack, arch, weights, training, dataset, images, norm, target, restarts, seed, batch, backend };
  const present = Object.entries({ ...own, epsilon: plan.epsilons, ...moduleValues });
  // The files of --weights say which networks are meant; the defaults of what else would choose them do not.
  const isIdle = (flag: string): boolean => weights !== null && CHOOSING.includes(flag) && !given.has(flag);
  return Object.fromEntries(present.filter(([flag, value]) => value !== null && !isIdle(flag)));
}
