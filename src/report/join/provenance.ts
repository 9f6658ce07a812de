/** Where the numbers of a joined run come from: what its sources have in common, and else what each of them says. */
import type { Run } from '../../core/run.ts';
import type { Named } from './source.ts';

type Provenance = Run['provenance'];

/** Times of all together, versions and machines one after the other; the sources keep their own. */
export function joinedProvenance(sources: readonly [Named, ...Named[]]): Provenance {
  const all = sources.map(({ run }) => run.provenance);
  const [first] = sources;
  const { seed, dataset } = first.run.provenance;
  const each = (of: (one: Provenance) => string | undefined, between = ', '): string =>
    [...new Set(all.map(of).filter((text) => text !== undefined))].join(between);
  const rule = (name: 'fitRule' | 'transferRule' | 'naiveRule') =>
    all.some((one) => one[name] !== undefined) ? { [name]: each((one) => one[name], '; ') } : {};
  const device = each((one) => one.device);
  const commits = new Set(all.map(({ commit }) => commit));
  const names = [...new Set(all.flatMap(({ packages }) => Object.keys(packages)))];
  return {
    started: earliest(all.map(({ started }) => started)),
    finished: latest(all.map(({ finished }) => finished)),
    gibbon: each(({ gibbon }) => gibbon),
    node: each(({ node }) => node),
    packages: Object.fromEntries(names.map((name) => [name, each(({ packages }) => packages[name])])),
    commit: commits.size === 1 ? first.run.provenance.commit : null,
    platform: each(({ platform }) => platform),
    cpu: each(({ cpu }) => cpu),
    cores: Math.max(...all.map(({ cores }) => cores)),
    backend: each(({ backend }) => backend),
    // Of one backend; of several each has its own, in its source.
    ...(new Set(all.map(({ backend }) => backend)).size === 1
      ? { ...largest(all), ...(device === '' ? {} : { device }) }
      : {}),
    seed,
    dataset: { ...dataset, images: Math.max(...all.map((one) => one.dataset.images)) },
    weights: Object.assign({}, ...all.map(({ weights }) => weights)),
    phases: sums(all.map(({ phases }) => phases)),
    iteratePolicy: each(({ iteratePolicy }) => iteratePolicy, '; '),
    galleryRule: each(({ galleryRule }) => galleryRule, '; '),
    ...rule('fitRule'),
    ...rule('transferRule'),
    ...rule('naiveRule'),
  };
}

/** Of what was found of the backend, the worst. */
function largest(all: readonly Provenance[]): Pick<Provenance, 'backendDifference'> {
  const differences = all.flatMap(({ backendDifference }) => backendDifference ?? []);
  return differences.length === 0 ? {} : { backendDifference: Math.max(...differences) };
}

const byTime = (times: readonly string[]): string[] => times.toSorted((a, b) => Date.parse(a) - Date.parse(b));
const earliest = (times: readonly string[]): string => byTime(times)[0] ?? '';
const latest = (times: readonly string[]): string => byTime(times).at(-1) ?? '';

function sums(phases: readonly Provenance['phases'][]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [name, seconds] of phases.flatMap((one) => Object.entries(one))) {
    total[name] = (total[name] ?? 0) + seconds;
  }
  return total;
}
