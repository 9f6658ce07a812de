import type { GuardCheck, Kept, Stopped } from '../core/training-record.ts';
import type { EpochRecord } from './state.ts';

/** What a training is at. Epochs and batches count from 1. */
export type TrainingEvent =
  | {
      /** Everything is compiled; `batch` of `epoch` comes first. */
      readonly kind: 'start';
      readonly parameters: number;
      readonly epoch: number;
      readonly epochs: number;
      readonly batch: number;
      readonly batches: number;
      /** Whether the best epoch is saved. */
      readonly keepsBest: boolean;
    }
  | {
      readonly kind: 'batch';
      readonly epoch: number;
      readonly batch: number;
      readonly loss: number;
      /** Share of the epoch's images so far that were classified correctly, as the loss saw them. */
      readonly accuracy: number;
      readonly rate: number;
    }
  /** The guard has looked. */
  | { readonly kind: 'check'; readonly epoch: number; readonly check: GuardCheck }
  | { readonly kind: 'epoch'; readonly record: EpochRecord }
  /** It ends before its last epoch, and which state is saved. */
  | { readonly kind: 'stopped'; readonly stopped: Stopped; readonly kept: Kept };
