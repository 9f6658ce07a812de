/** What `runExperiment` is asked to do, with what, and what it tells meanwhile. */

import type { Prepare } from '../compile/types.ts';
import { type Attack, type Ensemble, isEnsemble } from '../core/attack.ts';
import type { Classifier } from '../core/classifier.ts';
import type { Dataset } from '../core/dataset.ts';
import type { Wrapper } from '../core/defense.ts';
import type { Run } from '../core/run.ts';
import type { Kept, Rounding } from '../core/saved.ts';
import type { Goal, Threat } from '../core/threat-model.ts';
import type { TrainingRecord } from '../core/training-record.ts';
import type { Versions } from '../core/versions.ts';
import type { Journal } from './journal/journal.ts';
import type { Probe } from './sanity/probes.ts';

/** A trained network that stands for measurement. */
export interface Contender {
  readonly architecture: Run['architectures'][number];
  /** How it was trained: `standard`, `adversarial`. */
  readonly training: string;
  readonly classifier: Classifier;
  /** SHA-256 of its weights, in hex. */
  readonly sha256: string;
  /** How its training went, if its checkpoint tells. */
  readonly record?: TrainingRecord | undefined;
  /** Of a network behind a defense. */
  readonly defended?: DefendedBy;
}

/** What a network stands behind. */
export interface DefendedBy {
  readonly defense: Wrapper;
  /** Resolved: every declared parameter has its value. */
  readonly params: Readonly<Record<string, unknown>>;
  /** What the same network is called without it: `standard`. */
  readonly undefended: string;
  /** What attacks look at, if that is another than what answers. */
  readonly adversary?: Classifier;
  /** SHA-256 of the file of the user's own that the defense comes from, in hex. */
  readonly source?: string;
}

/** What attacks look at. */
export const attackedOf = ({ classifier, defended }: Contender): Classifier => defended?.adversary ?? classifier;

/** Whether attacks look at another classifier than answers. */
export const isStandIn = (contender: Contender): boolean => attackedOf(contender) !== contender.classifier;

/** The network of a plan that stands behind nothing where this one stands behind its defense; undefined if there is none. */
export const undefendedOf = ({ architecture, defended }: Contender, all: readonly Contender[]): Contender | undefined =>
  all.find((other) => other.architecture.name === architecture.name && other.training === defended?.undefended);

/** An attack, or a stage of an ensemble, with the values of its parameters. */
export interface PlannedStage {
  readonly attack: Attack;
  /** Resolved: every declared parameter has its value. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Of a stage: how many random starts of it count for one of the ensemble, 1 by default. */
  readonly restarts?: number;
  /** SHA-256 of the file of the user's own that it comes from, in hex. */
  readonly source?: string;
  /** That file, as the user named it. */
  readonly file?: string;
}

/** The same, or an ensemble with its stages. */
export interface PlannedAttack extends Omit<PlannedStage, 'attack'> {
  readonly attack: Attack | Ensemble;
  /** Of an ensemble. */
  readonly stages?: readonly PlannedStage[];
}

/**
 * What is run for an attack, in order: its stages, or itself.
 *
 * @throws Error if an ensemble was planned without its stages
 */
export function stagesOf({ attack, stages, ...rest }: PlannedAttack): readonly PlannedStage[] {
  if (!isEnsemble(attack)) return [{ attack, ...rest }];
  if (stages !== undefined && stages.length > 0) return stages;
  throw new Error(`${attack.name} is made of other attacks: plan it with planAttack`);
}

/** What a stage is called in the journal, the second of its name `pgd 2`; nothing for an attack that is its own only stage. */
export function stageName(planned: PlannedAttack, stage: PlannedStage): string | undefined {
  const { attack } = stage;
  if (attack === planned.attack) return undefined;
  const namesakes = stagesOf(planned).filter((other) => other.attack.name === attack.name);
  const place = namesakes.indexOf(stage);
  return place === 0 ? attack.name : `${attack.name} ${place + 1}`;
}

/** The steps of its longest stage. */
export const mostSteps = (planned: PlannedAttack): number =>
  Math.max(...stagesOf(planned).map(({ attack, params }) => attack.steps(params)));

/** Tries with fresh noise that an image gets, if the attack draws noise at all. */
export const restartsOf = ({ restarts }: Pick<ExperimentPlan, 'restarts'>, stage: PlannedStage): number =>
  restarts * (stage.restarts ?? 1);

/** What is measured: every attack on every contender at every radius, on the same images. */
export interface ExperimentPlan {
  readonly attacks: readonly PlannedAttack[];
  readonly contenders: readonly Contender[];
  readonly dataset: Dataset;
  /** What attacks that are fitted first learn from: its training split. By default the images that are measured. */
  readonly fitDataset?: Dataset;
  /** How many images; more than the dataset holds means all of them. */
  readonly images: number;
  /** Radii in pixel units. */
  readonly epsilons: readonly number[];
  readonly norm: Threat;
  readonly goal: Goal;
  readonly seed: number;
  /** Tries with fresh noise per image; attacks that draw no noise get one. */
  readonly restarts: number;
  /** `false` lets an attack take all its steps at an image that is fooled already: stronger pictures, more work. */
  readonly earlyStop?: boolean;
  /** Slots of the compiled functions. Changes speed and memory, never a result. */
  readonly batch: number;
  /** Images per contender and attack in the gallery. */
  readonly galleryRows: number;
  /** Small attacks for the sanity panel, on so many images of each network; none by default. */
  readonly sanity?: { readonly images: number; readonly probes: readonly Probe[] };
  /** The radius that the gallery shows, one of `epsilons`; by default the upper median of the positive ones. */
  readonly galleryEpsilon?: number;
  /** The radius of the images that are made against each contender and tried on all others; without it, none are. */
  readonly transferEpsilon?: number;
}

/** With what a plan is carried out, and who is told. */
export interface Harness {
  readonly prepare: Prepare;
  /** What `prepare` runs on, in words: `onnx-cpu`. */
  readonly backend: string;
  /** How far its small gradient is from the reference's, relative to the largest entry; undefined of the reference itself. */
  readonly backendDifference?: number | undefined;
  /** The graphics processor that it may compute on, where that is known. */
  readonly device?: string | undefined;
  /** The command line at hand; the run states that of its journal, which began it. */
  readonly command: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly id: string;
  readonly versions: Versions;
  readonly onProgress?: (event: ProgressEvent) => void;
  /** Aborting it ends the run after the batch at hand with `Interrupted`. */
  readonly signal?: AbortSignal;
  /** Where finished work is written, and read when a run is resumed. */
  readonly journal?: Journal;
  /** Where adversarial images are saved, and which; by default nowhere. Changes no number. */
  readonly saving?: Saving;
}

/** How adversarial images are saved. */
export interface Saving {
  /** The run's own: they lie in its `images`. */
  readonly folder: string;
  readonly kept: Kept;
  /** Of pictures; the images themselves are kept as float32. */
  readonly rounding: Rounding;
}

/**
 * What the run is at. `prepare`: an attack is being compiled. `clean`: images classified. `attack`: pairs of (image,
 * epsilon) settled. `fit`: images that an attack learns from. `gallery`: pictures drawn. `probe`: checks of the sanity panel. `save`: images saved. `transfer`:
 * adversarial images tried on every contender. `naive`: images made against an undefended network tried behind its defenses.
 */
export interface ProgressEvent {
  readonly phase: 'prepare' | 'clean' | 'fit' | 'attack' | 'gallery' | 'probe' | 'save' | 'transfer' | 'naive';
  /** `vgg16/standard`. */
  readonly contender: string;
  readonly attack?: string;
  /** Of an ensemble: which of its attacks. */
  readonly stage?: string | undefined;
  readonly done: number;
  readonly total: number;
  /** Share of what is done that is correct: of the images (`clean`), of the attacked pairs (`attack`). */
  readonly accuracy?: number;
  /** Per-image gradient evaluations spent so far by this attack on this contender. */
  readonly gradients?: number;
}

/** The run was asked to stop and did, after the batch at hand; the journal holds what was finished. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

/** @throws Interrupted if the signal was aborted */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new Interrupted();
}

/** `vgg16/standard`: how a contender is called in the journal, in provenance and in progress. */
export const contenderName = ({ architecture, training }: Contender): string => `${architecture.name}/${training}`;
