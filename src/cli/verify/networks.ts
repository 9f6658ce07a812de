/** Which networks a run's saved images are checked with: those that it names, found again here and told by their hashes. */
import { usageError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { architectures } from '../../models/registry.ts';
import { isWeightsVersion } from '../../weights/torchvision.ts';
import { contenderFiles, openContender } from '../experiment/contenders.ts';
import type { Opened } from '../experiment/opened.ts';
import type { ResolveOptions } from '../weights-word.ts';

export interface Named {
  /** Networks of the user's own; null: those of the run's names. */
  readonly arch: readonly string[] | null;
  readonly weights: readonly string[] | null;
}

/** A network of the run, and what was found for it. */
export interface Found {
  readonly arch: string;
  readonly training: string;
  /** SHA-256 of the weights that the run attacked. */
  readonly sha256: string | undefined;
  /** The one with these weights; else those that were looked at. */
  readonly network: Opened | undefined;
  readonly others: readonly Opened[];
}

/**
 * The networks whose images a run saved. Nothing that a run.json names is executed or fetched but what the program knows
 * by name: code and other files are named by the user.
 *
 * @throws UserError if a network cannot be opened, or the user must say which it is
 */
export async function networksOf(run: Run, named: Named, fetching: ResolveOptions): Promise<Found[]> {
  const { saved = [], provenance } = run;
  const wanted = new Map(saved.map(({ arch, training }) => [`${arch}/${training}`, { arch, training }]));
  const given = named.arch === null && named.weights === null ? undefined : await openNamed(run, named, fetching);
  const found: Found[] = [];
  for (const [name, { arch, training }] of wanted) {
    const sha256 = provenance.weights[name];
    const opened = given ?? (await openKnown(run, arch, training, fetching));
    const network = opened.find(({ contender }) => contender.sha256 === sha256);
    found.push({ arch, training, sha256, network, others: network === undefined ? opened : [] });
  }
  return found;
}

/** The files that the user names. */
function openNamed({ saved = [], provenance }: Run, named: Named, fetching: ResolveOptions): Promise<Opened[]> {
  const known = [...new Set(saved.map(({ arch }) => arch))].filter(isKnown);
  return open(
    {
      arch: named.arch ?? known,
      training: [...new Set(saved.map(({ training }) => training))],
      ...{ weights: named.weights, dataset: provenance.dataset.name },
      // One file may hold any of several architectures: if it does not say which, the user must.
      isGiven: (flag) => flag === 'arch' && (named.arch !== null || known.length === 1),
    },
    fetching,
  );
}

/** What the program has by these names: a checkpoint, or published weights. */
function openKnown(run: Run, arch: string, training: string, fetching: ResolveOptions): Promise<Opened[]> {
  if (!isKnown(arch)) {
    throw usageError(
      `${arch} is a network of its owner's: name its module or folder by --arch, its weights by --weights`,
    );
  }
  const said = run.config.weights;
  const [version] = Array.isArray(said) ? said : [said];
  const weights = typeof version === 'string' && isWeightsVersion(version) ? [version] : null;
  if (said !== undefined && weights === null) {
    throw usageError(`${arch}/${training} was given to the run as a file: name it here too, by --weights`);
  }
  const dataset = run.provenance.dataset.name;
  return open({ arch: [arch], training: [training], weights, dataset, isGiven: () => true }, fetching);
}

const isKnown = (arch: string): boolean => architectures.some(({ name }) => name === arch);

async function open(request: Parameters<typeof contenderFiles>[0], fetching: ResolveOptions): Promise<Opened[]> {
  const opened: Opened[] = [];
  for (const file of await contenderFiles(request)) opened.push(await openContender(file, fetching));
  return opened;
}
