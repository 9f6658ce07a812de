/**
 * `run.json`, schema `gibbon.run/1`: the immutable result of a run. HTML, CSV and the terminal's table are views of it.
 * Accuracies and confidences are shares, 0 to 1; epsilon is in pixel units, images being in [0,1].
 */
import { z } from 'zod';
import { UserError } from './errors.ts';
import { joinedFrom } from './joined.ts';
import { cell, contradiction, worstCase } from './run/cells.ts';
import { certificates } from './run/certificates.ts';
import { check } from './run/check.ts';
import { confusion } from './run/confusion.ts';
import { defendedCell, defense } from './run/defended.ts';
import { distances } from './run/distances.ts';
import { json, network, radiusFits, radiusRule } from './run/fields.ts';
import { galleryItem } from './run/gallery.ts';
import { architecture, attack, performance } from './run/methods.ts';
import { perturbations } from './run/perturbations.ts';
import { provenance } from './run/provenance.ts';
import { trace } from './run/trace.ts';
import { transfer } from './run/transfer.ts';
import { savedImages } from './saved.ts';
import { trainingRecord } from './training-record.ts';

export const RUN_SCHEMA = 'gibbon.run/1';

/** The journal's name, beside run.json: from it an interrupted run goes on. */
export const JOURNAL = 'journal.ndjson';

const runFields = z.object({
  schema: z.literal(RUN_SCHEMA),
  id: z.string(),
  command: z.string(),
  config: z.record(z.string(), json),
  provenance,
  architectures: z.array(architecture),
  attacks: z.array(attack),
  classes: z.array(z.string()),
  /** At least one, unless the run certifies instead of attacking. */
  cells: z.array(
    cell.refine(radiusFits, radiusRule).superRefine((box, context) => {
      const found = contradiction(box);
      if (found !== undefined) context.addIssue({ code: 'custom', path: [found[0]], message: found[1] });
    }),
  ),
  /** One per arch, training, norm and epsilon, in the order of the cells. */
  worstCases: z.array(worstCase.refine(radiusFits, radiusRule)).optional(),
  /** One per network and attack of minimum norm. */
  distances: z.array(distances).optional(),
  /** One per network and attack of several steps, at one radius of each network. */
  traces: z.array(trace.refine(radiusFits, radiusRule)).optional(),
  /** One per network and attack in a ball, at one radius of each network. */
  perturbations: z.array(perturbations.refine(radiusFits, radiusRule)).optional(),
  /** One per network and attack, at one radius. */
  confusions: z.array(confusion.refine(radiusFits, radiusRule)).optional(),
  /** One per network and level of noise. */
  certificates: z.array(certificates).min(1).optional(),
  /** For every attack that looks at a network: source by source, all targets. */
  transfer: z.array(transfer.refine(radiusFits, radiusRule)).optional(),
  /** What networks of the run stand behind. */
  defenses: z.array(defense).optional(),
  /** For every defended network, attack that looks at one, and radius. */
  defended: z.array(defendedCell.refine(radiusFits, radiusRule)).optional(),
  checks: z.array(check),
  gallery: z.array(galleryItem.refine(radiusFits, radiusRule)),
  /** One per contender. */
  performance: z.array(performance).optional(),
  /** How the networks were trained, as far as their checkpoints tell. */
  trainings: z.array(network.extend({ record: trainingRecord })).optional(),
  /** Where adversarial images were saved, if that was asked for: one per network, attack and radius that has any. */
  saved: z.array(savedImages.refine(radiusFits, radiusRule)).optional(),
  /** Of a run that was joined from others: what is kept of each. */
  sources: joinedFrom(provenance).optional(),
});

/** The schema of `run.json`. */
export const runSchema = runFields.refine(({ cells, certificates }) => cells.length > 0 || certificates !== undefined, {
  path: ['cells'],
  error: 'a run has cells, or certificates',
});

/** What was run, on what, and all that came out. */
export type Run = z.infer<typeof runSchema>;
/** One measured box of the grid. */
export type Cell = z.infer<typeof cell>;
/** What an attack of several steps had done after each of them. */
export type Trace = z.infer<typeof trace>;
/** How large an attack's perturbations are. */
export type Perturbations = z.infer<typeof perturbations>;
/** What adversarial images are taken for. */
export type Confusion = z.infer<typeof confusion>;
export type Distances = z.infer<typeof distances>;
/** What randomized smoothing certifies of a network at one level of noise. */
export type Certificates = z.infer<typeof certificates>;
export type WorstCase = z.infer<typeof worstCase>;
/** What an attack made against one network of the run, tried on another. */
export type Transfer = z.infer<typeof transfer>;
/** A defended network under a naive and an adaptive adversary. */
export type DefendedCell = z.infer<typeof defendedCell>;
export type GalleryItem = z.infer<typeof galleryItem>;
export type Check = z.infer<typeof check>;
export type Performance = z.infer<typeof performance>;
/** How one network of the run was trained. */
export type Training = NonNullable<Run['trainings']>[number];

/**
 * A run from parsed JSON.
 *
 * @param source - where it came from, for the error
 * @throws UserError naming the path of the first wrong field
 */
export function parseRun(value: unknown, source: string): Run {
  const result = runSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue === undefined || issue.path.length === 0 ? 'the file' : issue.path.map(String).join('.');
  throw new UserError(`${source} is not a ${RUN_SCHEMA} file: ${path}: ${issue?.message ?? 'invalid'}`);
}
