/** What programs may import from `gibbon`: the words that attacks and defenses are written in, and the rooms behind them. */
export { compile } from './compile/compile.ts';
export { eager } from './compile/eager.ts';
export type { Executable, HostTensor, Prepare, TensorSpec } from './compile/types.ts';
export type { Architecture } from './core/architecture.ts';
export { type Attack, type AttackContext, type AttackState, defineAttack, type Loss } from './core/attack.ts';
export { type Ball, ball, sizeOf } from './core/ball.ts';
export type { Classifier, ImageShape } from './core/classifier.ts';
export type { Dataset, Example } from './core/dataset.ts';
export { type Defense, defineDefense, type TrainingContext, type TrainingLoss } from './core/defense.ts';
export { UserError } from './core/errors.ts';
export { crossEntropy, dlr, margin, targetedDlr } from './core/losses.ts';
export { type Param, p, resolveParams, type Values } from './core/params.ts';
export { type Cell, parseRun, type Run, runSchema } from './core/run.ts';
export { wilson95 } from './core/statistics.ts';
export { type Goal, NORMS, type Norm, type ThreatModel, UNTARGETED } from './core/threat-model.ts';
export { tf } from './tf.ts';
