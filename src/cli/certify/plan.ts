/** From flags to a plan: everything that can be wrong is found here, before anything is written. */

import { compiles } from '../../backends/compiles.ts';
import type { Backend } from '../../backends/open.ts';
import { type CertificationPlan, requireCertifiable } from '../../certify/plan.ts';
import { usageError } from '../../core/errors.ts';
import type { Values } from '../../core/params.ts';
import { requireDatasetName } from '../../data/registry.ts';
import { requireAgreement } from '../experiment/agreement.ts';
import { contenderFiles, openContender, requireFit } from '../experiment/contenders.ts';
import { countOf, openImages } from '../experiment/images.ts';
import type { Opened } from '../experiment/opened.ts';
import { tellApart } from '../experiment/tell-apart.ts';
import { checkUserContenders } from '../experiment/user-contenders.ts';
import { openJournaled } from '../open-backend.ts';
import { type Claim, checkOut, defaultFolder } from '../out-folder.ts';
import type { Terminal } from '../terminal.ts';
import type { ResolveOptions } from '../weights-word.ts';
import type { certifyFlags } from './flags.ts';

export interface Work {
  readonly plan: CertificationPlan;
  readonly backend: Backend;
  /** Where the run is to be written; it need not exist yet. */
  readonly folder: string;
  readonly claim: Claim;
  /** What the user should know before it starts, a line each. */
  readonly notes: readonly string[];
}

/**
 * What the flags ask for, checked.
 *
 * @param given - the flags that do not merely have their defaults
 * @param fetching - where downloads are told of, and how they are stopped
 * @param now - names the folder if none is named
 * @param terminal - told which backend was chosen
 * @throws UserError: the first thing that is wrong
 */
export async function planOf(
  values: Values<typeof certifyFlags>,
  given: ReadonlySet<string>,
  fetching: ResolveOptions,
  now: Date,
  terminal?: Terminal,
): Promise<Work> {
  const { sigma: sigmas, samples, selection: selectionSamples, alpha, seed, batch, out, resume } = values;
  if (resume && out === null) throw usageError('--resume needs --out: the folder of the interrupted run');
  requireDatasetName(values.dataset);
  const claim = out === null ? 'by-time' : resume ? 'resumed' : 'named';
  if (out !== null) await checkOut(out, claim);
  const backend = await openJournaled(values, terminal);
  const opened = await openContenders(values, given, fetching);
  const dataset = await openImages(values.dataset, [], opened);
  for (const one of opened) requireFit(one, dataset);
  checkUserContenders(opened, { compiled: compiles(backend.name), gradients: false });
  const contenders = tellApart(opened);
  const images = given.has('images') ? countOf(values.images, dataset) : Math.min(values.images, dataset.size);
  const plan = { contenders, dataset, images, sigmas, selectionSamples, samples, alpha, seed, batch };
  requireCertifiable(plan);
  const architectures = [...new Set(contenders.map(({ architecture }) => architecture.name))];
  const folder = out ?? defaultFolder(['certify'], architectures, now);
  if (out === null) await checkOut(folder, claim);
  return {
    plan,
    backend,
    folder,
    claim,
    notes: [...opened.flatMap(({ notes = [] }) => notes), ...(dataset.notes ?? [])],
  };
}

async function openContenders(
  values: Values<typeof certifyFlags>,
  given: ReadonlySet<string>,
  fetching: ResolveOptions,
): Promise<Opened[]> {
  const { arch, training, weights, dataset } = values;
  const opened: Opened[] = [];
  const files = await contenderFiles({ arch, training, weights, dataset, isGiven: (flag) => given.has(flag) });
  for (const file of files) opened.push(await openContender(file, fetching));
  // Beside networks of the user's own, --weights belongs to those, and --arch names them.
  if (weights !== null && !opened.some(({ isOwn }) => isOwn)) {
    if (given.has('arch')) requireAgreement('arch', arch, opened, ({ architecture }) => architecture.name);
    if (given.has('training')) requireAgreement('training', training, opened, (contender) => contender.training);
  }
  return opened;
}

/** The flags that choose among trained networks. */
const CHOOSING = ['arch', 'training'];

/** The flags that decide the certificates, as a config file that would give them again. */
export function configOf(
  values: Values<typeof certifyFlags>,
  given: ReadonlySet<string>,
  { plan }: Work,
): Record<string, unknown> {
  const { arch, weights, training, dataset, sigma, samples, selection, alpha, seed, batch, backend } = values;
  const own = {
    arch,
    weights,
    training,
    dataset,
    images: plan.images,
    sigma,
    samples,
    selection,
    alpha,
    seed,
    batch,
    backend,
  };
  // The files of --weights say which networks are meant; the defaults of what else would choose them do not.
  const isIdle = (flag: string): boolean => weights !== null && CHOOSING.includes(flag) && !given.has(flag);
  return Object.fromEntries(Object.entries(own).filter(([flag, value]) => value !== null && !isIdle(flag)));
}
