/** Holds saved images against the network that they fooled and the run that counts them. */
import { join } from 'node:path';
import sharp from 'sharp';
import { messageOf, UserError } from '../../core/errors.ts';
import type { Cell, Run } from '../../core/run.ts';
import type { SavedImages } from '../../core/saved.ts';
import { type ByteSource, readWhole, withFile } from '../../weights/byte-source.ts';
import { sha256Of } from '../../weights/sha256.ts';
import { type Contender, stopIfAborted } from '../plan.ts';
import type { Judge } from '../pool/engine.ts';
import { argMax, judgeAll } from '../pool/verify.ts';
import { type JudgedIn, type JudgedPair, judgePairs } from './judged.ts';
import { IMAGES_SCHEMA, pictureName } from './layout.ts';
import { openSaved, type SavedFile, type SavedImage } from './open.ts';

export interface CheckSpec {
  /** The run's. */
  readonly folder: string;
  readonly run: Run;
  /** The network that was attacked. */
  readonly contender: Pick<Contender, 'classifier' | 'sha256'>;
  readonly judge: Judge;
  readonly signal?: AbortSignal | undefined;
}

/** What was found at the images of one network, attack and radius. */
export interface Checked {
  readonly images: number;
  readonly fooled: number;
  readonly fooledRounded: number;
  /** Pictures of adversarial images that have left the ball: no fault, for it is the images that are counted. */
  readonly outsideRounded: number;
  /** What disagrees, in words; none means all is as the run says. */
  readonly findings: readonly string[];
}

/** The box of the grid that the images belong to. */
export const cellFor = (run: Run, saved: SavedImages): Cell | undefined =>
  run.cells.find(
    ({ arch, training, attack, norm, epsilon }) =>
      arch === saved.arch &&
      training === saved.training &&
      attack === saved.attack &&
      norm === saved.norm &&
      epsilon === saved.epsilon,
  );

/**
 * Checks one file and its pictures: hash, box, ball, predictions of images and pictures, counts. A file that cannot be read
 * is a finding too.
 *
 * @throws Interrupted after the batch at hand, if the signal is aborted
 */
export async function checkSaved(saved: SavedImages, spec: CheckSpec): Promise<Checked> {
  const cell = cellFor(spec.run, saved);
  const nothing = { images: 0, fooled: 0, fooledRounded: 0, outsideRounded: 0 };
  if (cell === undefined) return { ...nothing, findings: ['run.json measured no such attack at this radius'] };
  try {
    return await withFile(join(spec.folder, saved.file), (source) => checkFile(source, saved, cell, spec));
  } catch (error) {
    stopIfAborted(spec.signal);
    if (!(error instanceof UserError)) throw error;
    return { ...nothing, findings: [messageOf(error)] };
  }
}

async function checkFile(source: ByteSource, saved: SavedImages, cell: Cell, spec: CheckSpec): Promise<Checked> {
  const { contender, judge, signal } = spec;
  const findings = new Findings();
  findings.expect((await sha256Of(source)) === saved.sha256, 'its SHA-256 is not the one in run.json');
  const file = await openSaved(source, contender.classifier.input, saved.norm);
  checkMetadata(file, saved, contender.sha256, findings);

  const given: JudgedIn = { ...saved, judge, input: contender.classifier.input, goal: cell.goal };
  const counts = { images: file.images, fooled: 0, fooledRounded: 0, outsideRounded: 0 };
  let last = -1;
  for (let start = 0; start < file.images; start += judge.batch) {
    stopIfAborted(signal);
    const part = await file.read(start, judge.batch);
    const judged = await judgePairs(part, given);
    const clean = await judgeAll(
      judge,
      part.map((image) => image.clean),
    );
    for (const [i, image] of part.entries()) {
      const pair = judged[i] as JudgedPair;
      const isClean = argMax(clean[i] as Float32Array) === image.label && image.clean.every(isPixel);
      findings.count(!isClean, 'of its clean images: not what the network takes for their label');
      findings.count(image.index <= last, 'of its images: out of order');
      last = image.index;
      compare(image, pair, findings);
      findings.count(!(await showsPicture(image, pair, saved, spec)), 'of its pictures: missing, or of something else');
      if (!pair.image.fooled) continue;
      counts.fooled += 1;
      if (pair.picture.fooled) counts.fooledRounded += 1;
      if (pair.picture.refused !== undefined) counts.outsideRounded += 1;
    }
  }
  checkCounts(counts, saved, cell, findings);
  return { ...counts, findings: findings.all() };
}

const isPixel = (value: number): boolean => value >= 0 && value <= 1;

/** What the file says of an image beside what is so. */
function compare(said: SavedImage, { image, picture }: JudgedPair, findings: Findings): void {
  findings.count(said.fooled && image.refused === 'not finite', 'of its adversarial images: not finite');
  findings.count(
    said.fooled && image.refused === 'outside the box',
    'of its adversarial images: outside the box [0,1]',
  );
  findings.count(said.fooled && image.refused === 'outside the ball', 'of its adversarial images: outside the ball');
  findings.count(said.fooled && image.refused === 'not in its pose', 'of its adversarial images: not in their pose');
  findings.count(said.prediction !== image.prediction, 'of its predictions: not the network’s');
  findings.count(said.fooled !== image.fooled, 'of its images: adversarial and said not to be, or the other way round');
  const isPicture =
    said.roundedPrediction === picture.prediction &&
    said.roundedFooled === picture.fooled &&
    said.roundedInside === (picture.refused === undefined);
  findings.count(!isPicture, 'of its images: when rounded, not what the file says of their pictures');
}

function checkMetadata({ metadata }: SavedFile, saved: SavedImages, weights: string, findings: Findings): void {
  const { arch, training, attack, norm, epsilon, rounding } = saved;
  const expected = { schema: IMAGES_SCHEMA, arch, training, attack, norm, epsilon: String(epsilon), rounding, weights };
  for (const [name, value] of Object.entries(expected)) {
    findings.expect(metadata[name] === value, `its ${name} is ${metadata[name] ?? 'not stated'}, not ${value}`);
  }
}

function checkCounts(counts: Omit<Checked, 'findings'>, saved: SavedImages, cell: Cell, findings: Findings): void {
  const fallen = cell.cleanCorrect - cell.robustCorrect;
  const attacked = saved.kept === 'all' ? cell.cleanCorrect : fallen;
  const equal = (what: string, found: number, said: number): void =>
    findings.expect(found === said, `${found} ${what}; run.json says ${said}`);
  equal('images', counts.images, saved.images);
  equal('images', counts.images, attacked);
  equal('are adversarial', counts.fooled, saved.fooled);
  equal('are adversarial', counts.fooled, fallen);
  equal('of their pictures are', counts.fooledRounded, saved.fooledRounded);
  equal('of their pictures have left the ball', counts.outsideRounded, saved.outsideRounded);
}

/** Whether the picture of an image is there, and shows it as it is rounded. */
async function showsPicture(
  { index, id }: SavedImage,
  { rounded }: JudgedPair,
  { pictures }: SavedImages,
  { folder, contender }: CheckSpec,
): Promise<boolean> {
  const [height, width, channels] = contender.classifier.input;
  const path = join(folder, pictures, pictureName(index, id));
  try {
    const png = await readWhole(path, MOST_PER_VALUE * rounded.length + MOST_BESIDE);
    const image = sharp(png, { limitInputPixels: height * width });
    const { data, info } = await (channels === 1 ? image.toColourspace('b-w') : image)
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.width !== width || info.height !== height || info.channels !== channels) return false;
    return rounded.every((value, i) => Number.isNaN(value) || Math.round(value * 255) === data[i]);
  } catch {
    return false;
  }
}

/** A picture of 8 bits is never much larger than its pixels. */
const [MOST_PER_VALUE, MOST_BESIDE] = [2, 2 ** 16];

/** Collects what disagrees: once what can be said once, counted what can be said of many images. */
class Findings {
  readonly #said = new Set<string>();
  readonly #counted = new Map<string, number>();

  expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#said.add(otherwise);
  }

  count(isSo: boolean, what: string): void {
    if (isSo) this.#counted.set(what, (this.#counted.get(what) ?? 0) + 1);
  }

  all(): string[] {
    return [...this.#said, ...[...this.#counted].map(([what, times]) => `${times} ${what}`)];
  }
}
