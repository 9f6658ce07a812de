/**
 * What attacks are fitted with in a run: once for each network, stage and radius. It stays in memory and in the journal, so
 * that whatever is made later, the transfer and a resumed run included, is made with the same.
 */
import type { HostArray } from '../../compile/types.ts';
import { blame } from '../../core/blame.ts';
import { UserError } from '../../core/errors.ts';
import type { Job } from '../job.ts';
import type { PackedTensor } from '../journal/record.ts';
import { attackedOf, type Contender, contenderName, isStandIn, type PlannedStage } from '../plan.ts';
import { type Arrays, type AttackEngine, buffersFor, type Judge } from '../pool/engine.ts';
import { type Outcome, runPool } from '../pool/pool.ts';
import type { Rehearsal } from '../rehearse/rehearse.ts';
import type { FitRehearsal } from '../rehearse/rehearse-fit.ts';
import { type FitResult, runFit, type TryOut } from './fit.ts';
import { prepareFit } from './fit-engine.ts';
import { type FitImages, fitImages } from './fit-images.ts';

/** Whose fit it is. */
export interface FitOwner {
  readonly contender: Contender;
  /** The attack's name in the journal, and of an ensemble the stage's. */
  readonly attack: string;
  readonly stageName: string | undefined;
}

/** What is fitted, and with what. */
export interface FitRequest extends FitOwner {
  readonly stage: PlannedStage;
  readonly judge: Judge;
  /** The same attack, compiled. */
  readonly engine: AttackEngine;
  readonly rehearsal: Rehearsal;
  /** In pixel units. */
  readonly epsilons: readonly number[];
  /** Which of them are wanted, by index; by default all. */
  readonly radii?: ReadonlySet<number>;
}

/** What was fitted at a radius, and what it took. */
export interface KnownFit extends FitResult {
  readonly seconds: number;
}

export class Fits {
  readonly #job: Omit<Job, 'fits'>;
  readonly #known = new Map<string, KnownFit>();

  /** Takes up what earlier attempts of the run have fitted. */
  constructor(job: Omit<Job, 'fits'>) {
    this.#job = job;
    for (const record of job.journal.records) {
      if (record.kind !== 'fitted') continue;
      const { contender, attack, stage, epsilon, tensors, ...spent } = record;
      this.#known.set(keyOf(contender, attack, stage, epsilon), { fitted: unpacked(tensors), ...spent });
      job.stopwatch.add('fit', spent.seconds);
    }
  }

  /** What was fitted at a radius; undefined if nothing was. */
  at({ contender, attack, stageName }: FitOwner, epsilon: number): KnownFit | undefined {
    return this.#known.get(keyOf(contenderName(contender), attack, stageName, epsilon));
  }

  /**
   * What the attack works with at each of the radii, fitted now where it is wanted and not known yet; undefined for an attack
   * that is not fitted.
   *
   * @throws UserError if the network classifies none of the images correctly that there are to learn from
   * @throws Interrupted if the run is aborted; the journal then holds the fits that were finished
   */
  async fitted(request: FitRequest): Promise<readonly Arrays[] | undefined> {
    const { rehearsal, epsilons, radii } = request;
    const { fit } = rehearsal;
    if (fit === undefined) return undefined;
    const wanted = epsilons.filter((_, radius) => radii?.has(radius) ?? true);
    const missing = wanted.filter((epsilon) => !hasFields(this.at(request, epsilon), fit));
    if (missing.length > 0) await this.#fit(request, fit, missing);
    return epsilons.map((epsilon) => this.at(request, epsilon)?.fitted ?? {});
  }

  async #fit(request: FitRequest, fit: FitRehearsal, epsilons: readonly number[]): Promise<void> {
    const { stage, contender, judge, rehearsal } = request;
    const { plan, harness, stopwatch } = this.#job;
    const { norm, batch, goal } = plan;
    const images = await stopwatch.time('fit', () => fitImages(plan, judge, fit.images, harness.signal));
    if (images.size === 0) {
      throw new UserError(
        `${contenderName(contender)} classifies none of the images correctly that ${stage.attack.name} is to be fitted on ` +
          `(${fit.images} at most); let it have more`,
      );
    }
    const engine = await stopwatch.time('prepare', () =>
      blame(stage, 'cannot be compiled', () =>
        prepareFit(harness.prepare, {
          ...{ ...stage, classifier: attackedOf(contender), norm, batch, rehearsal },
          targeted: goal.kind === 'targeted',
        }),
      ),
    );
    try {
      for (const [place, epsilon] of epsilons.entries()) {
        const before = place * images.size * fit.passes;
        const began = performance.now();
        const result = await runFit({
          ...{ engine, rehearsal: fit, goal, seed: plan.seed, epsilon, images, signal: harness.signal },
          tryOut: (fitted) => this.#tryOut(request, fitted, epsilon, images),
          onImages: (done) =>
            harness.onProgress?.({
              ...{
                phase: 'fit',
                contender: contenderName(contender),
                attack: request.attack,
                stage: request.stageName,
              },
              ...{ done: before + done, total: epsilons.length * images.size * fit.passes },
            }),
        });
        await this.#take(request, epsilon, { ...result, seconds: (performance.now() - began) / 1000 });
      }
    } finally {
      await engine.release();
    }
  }

  /** What the attack does to the images that it is fitted on. */
  async #tryOut(
    { engine, rehearsal, judge, contender }: FitRequest,
    fitted: Arrays,
    epsilon: number,
    images: FitImages,
  ): Promise<TryOut> {
    const { plan, harness } = this.#job;
    const { norm, goal, seed } = plan;
    const outcomes: Outcome[] = [];
    const work = async function* () {
      for await (const image of images.stream()) yield { image, radii: [0] };
    };
    await runPool({
      isStandIn: isStandIn(contender),
      ...{ engine, rehearsal, judge, norm, goal, seed, restarts: 1, signal: harness.signal },
      ...{ epsilons: [epsilon], fitted: [fitted], input: contender.classifier.input, work: work() },
      onSettled: async (settled) => {
        outcomes.push(...settled);
      },
    });
    return {
      fooled: outcomes.filter(({ robust }) => !robust).length / outcomes.length,
      gradients: outcomes.reduce((sum, { gradients }) => sum + gradients, 0),
      forwards: outcomes.reduce((sum, { forwards }) => sum + forwards, 0),
    };
  }

  async #take({ contender, attack, stageName }: FitOwner, epsilon: number, known: KnownFit): Promise<void> {
    const { journal, stopwatch } = this.#job;
    const { fitted, ...spent } = known;
    const name = contenderName(contender);
    this.#known.set(keyOf(name, attack, stageName, epsilon), known);
    stopwatch.add('fit', spent.seconds);
    await journal.append({
      ...{ kind: 'fitted', contender: name, attack, epsilon, tensors: packed(fitted), ...spent },
      ...(stageName === undefined ? {} : { stage: stageName }),
    });
  }
}

const keyOf = (contender: string, attack: string, stage: string | undefined, epsilon: number): string =>
  JSON.stringify([contender, attack, stage ?? null, epsilon]);

/** Whether it is known, and what the attack expects. */
function hasFields(known: KnownFit | undefined, { fitted: fields }: FitRehearsal): boolean {
  if (known === undefined) return false;
  const kinds = (arrays: Arrays): string[] =>
    Object.entries(arrays).map(([name, array]) => `${name} ${array.constructor.name} ${array.length}`);
  return kinds(known.fitted).sort().join() === kinds(buffersFor(fields, 1)).sort().join();
}

const TYPES = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

const dtypeOf = (array: HostArray): PackedTensor['dtype'] =>
  array instanceof Float32Array ? 'float32' : array instanceof Int32Array ? 'int32' : 'bool';

const packed = (arrays: Arrays): Record<string, PackedTensor> =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => {
      const data = Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');
      return [name, { dtype: dtypeOf(array), data }];
    }),
  );

const unpacked = (tensors: Readonly<Record<string, PackedTensor>>): Arrays =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, data }]) => {
      const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
      const size = TYPES[dtype].BYTES_PER_ELEMENT;
      return [name, new TYPES[dtype](bytes.buffer, 0, Math.floor(bytes.length / size))];
    }),
  );
