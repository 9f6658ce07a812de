/** What programs may import from `gibbon`: the words that attacks and defenses are written in, and the rooms behind them. */
export { runCertification } from './certify/certification.ts';
export {
  CERTIFICATION_DEFAULTS,
  type CertificationHarness,
  type CertificationPlan,
  certificationParts,
} from './certify/plan.ts';
export { certifiedRadius, prediction, type Votes } from './certify/smoothing.ts';
export { compile } from './compile/compile.ts';
export { eager } from './compile/eager.ts';
export type { Executable, HostTensor, Prepare, TensorSpec } from './compile/types.ts';
export type { Architecture } from './core/architecture.ts';
export {
  type Attack,
  type AttackContext,
  type AttackState,
  defineAttack,
  type Fit,
  type FitContext,
  type Fitted,
  type Loss,
} from './core/attack.ts';
export { type Ball, ball, type Noise, shorten, sizeOf } from './core/ball.ts';
export type { Classifier, ImageShape } from './core/classifier.ts';
export type { Dataset, Example } from './core/dataset.ts';
export {
  type AttackedMode,
  type Defended,
  type Defense,
  defineDefense,
  type PerturbRequest,
  type Seeds,
  type Tensors,
  type TrainingContext,
  type TrainingLoss,
  type WeightWithGradient,
} from './core/defense.ts';
export { UserError } from './core/errors.ts';
export {
  crossEntropy,
  dlr,
  klDivergence,
  margin,
  smoothedCrossEntropy,
  targetedDlr,
  wrongCertainty,
} from './core/losses.ts';
export { type Param, p, resolveParams, type Values } from './core/params.ts';
export { type Cell, type Certificates, parseRun, type Run, runSchema, type Transfer } from './core/run.ts';
export { clopperPearsonLower, wilson95 } from './core/statistics.ts';
export { type Goal, NORMS, type Norm, type ThreatModel, UNTARGETED } from './core/threat-model.ts';
export { defineNetwork, type InputScaling, type UserModel, type UserNetwork } from './core/user-network.ts';
export type { Versions } from './core/versions.ts';
export { backwardPass, type Passes } from './core/wrappers/backward-pass.ts';
export {
  expectationOverTransformation,
  type RandomTransform,
} from './core/wrappers/expectation-over-transformation.ts';
export { preprocess } from './core/wrappers/preprocess.ts';
export { type Counts, randomised } from './core/wrappers/randomised.ts';
export { openPhotos } from './data/photo-files.ts';
export { datasetNames, openDataset } from './data/registry.ts';
export { loadAttacks, loadDefenses } from './discover/modules.ts';
export { runExperiment } from './evaluate/experiment.ts';
export { journalParts } from './evaluate/experiment-parts.ts';
export { type Journal, openJournal } from './evaluate/journal/journal.ts';
export { journalKey } from './evaluate/journal/parts.ts';
export {
  type Contender,
  type ExperimentPlan,
  type Harness,
  Interrupted,
  type PlannedAttack,
  type Saving,
} from './evaluate/plan.ts';
export {
  adaptiveAveragePool,
  type Block,
  batchNorm,
  chain,
  conv,
  dense,
  dropout,
  flatten,
  globalAveragePool,
  maxPool,
  type Named,
  pad,
  relu,
  sequential,
} from './models/blocks.ts';
export { type CheckpointMetadata, loadCheckpoint, saveCheckpoint } from './models/checkpoint.ts';
export { buildNetwork, type Network, type NetworkSpec, smallSpec, trainingLogits } from './models/network.ts';
export { architectures, findArchitecture } from './models/registry.ts';
export { type OpenedNetwork, openModelFolder, openNetworkModule } from './models/user-network.ts';
export { tf } from './tf.ts';
export { augmentationOf, type ChosenAugmentation } from './train/augment.ts';
export { type Augmentation, defineAugmentation } from './train/augmentation.ts';
export { TRAINING_DEFAULTS, type TrainingPlan } from './train/plan.ts';
export { type TrainingHarness, type TrainingResult, train } from './train/train.ts';
