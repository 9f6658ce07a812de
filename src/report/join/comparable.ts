/** Which runs may stand in one table: those that measured the same images. */
import { UserError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { whole } from '../format.ts';
import type { Source } from './source.ts';

type Dataset = Run['provenance']['dataset'];

/** The images in words. Those of the target class, which do not count, are named behind a semicolon. */
const imagesOf = ({ selection, images }: Dataset): string => selection?.split('; ')[0] ?? `${whole(images)} images`;

/** What must agree, and what to do where it does not. */
const AGREEING: readonly {
  readonly what: string;
  readonly of: (run: Run) => string;
  readonly remedy: string;
}[] = [
  {
    what: 'the dataset differs',
    of: ({ provenance: { dataset } }) => `${dataset.name} ${dataset.split}`,
    remedy: 'Join runs of one dataset',
  },
  {
    what: 'the labels differ',
    of: ({ provenance }) => provenance.dataset.labels,
    remedy: 'Join runs that count the same answers as right',
  },
  {
    what: 'the images differ',
    of: ({ provenance }) => imagesOf(provenance.dataset),
    remedy: 'Measure them with the same --images and --seed',
  },
  {
    what: 'the SHA-256 of the data differs',
    of: ({ provenance }) => provenance.dataset.sha256,
    remedy: 'Measure them on the same files',
  },
  {
    what: 'the seed differs',
    of: ({ provenance }) => String(provenance.seed),
    remedy: 'Measure them with the same --seed',
  },
  { what: 'the classes differ', of: ({ classes }) => classes.join(', '), remedy: 'Join runs of one dataset' },
];

/** @throws UserError naming what differs, both files, and what to do */
export function requireComparable(sources: readonly Source[]): void {
  const [first, ...others] = sources;
  if (first === undefined) return;
  for (const { what, of, remedy } of AGREEING) {
    const other = others.find(({ run }) => of(run) !== of(first.run));
    if (other === undefined) continue;
    throw new UserError(
      `cannot join ${first.path} and ${other.path}: ${what} (${of(first.run)}; ${of(other.run)}). ${remedy}`,
    );
  }
}
