import { counted, duration, whole } from '../../report/format.ts';
import { keptInWords, stoppedInWords } from '../../report/training-words.ts';
import type { TrainingEvent } from '../../train/events.ts';
import type { EpochRecord } from '../../train/state.ts';
import { progressLine } from '../progress.ts';
import type { Terminal } from '../terminal.ts';

export interface Watch {
  show(event: TrainingEvent): void;
  end(): void;
}

/** Batches on the progress line; a line that stays for every epoch, and for what ends the training early. */
export function watchTraining(terminal: Terminal, quiet: boolean): Watch {
  const line = progressLine(terminal);
  let [batches, epochs, keepsBest] = [0, 0, false];
  const show = (event: TrainingEvent): void => {
    // A training that was ended early is no progress: it is told in any case.
    if (quiet && event.kind !== 'stopped') return;
    if (event.kind === 'start') {
      ({ batches, epochs, keepsBest } = event);
      terminal.note(`${whole(event.parameters)} parameters, ${counted(batches, 'batch', 'batches')} an epoch`);
    } else if (event.kind === 'batch') {
      const { epoch, batch: done, accuracy } = event;
      line.show({ label: `epoch ${epoch}/${epochs}`, done, total: batches, unit: 'batches', accuracy });
    } else if (event.kind === 'epoch') {
      terminal.note(`epoch ${event.record.epoch}/${epochs}: ${inWords(event.record, keepsBest)}`);
    } else if (event.kind === 'stopped') {
      const { stopped, kept } = event;
      const end = stopped.why === 'patience' ? 'saving' : 'rolled back (--guard off lets it run): saving';
      terminal.note(`stopped at epoch ${stopped.epoch}, batch ${stopped.batch}: ${stoppedInWords(stopped)}`);
      terminal.note(`${end} ${keptInWords(kept)}`);
    }
  };
  return { show, end: line.end };
}

function inWords({ loss, accuracy, validation, best, seconds }: EpochRecord, keepsBest: boolean): string {
  const watched =
    validation === null
      ? []
      : [`held out ${percent(validation.clean)} clean`, `${percent(validation.robust)} attacked`];
  const parts = [`loss ${loss.toFixed(4)}`, `accuracy ${percent(accuracy)}`, ...watched, duration(seconds)];
  return parts.join(', ') + (best === true && keepsBest ? ' (best so far)' : '');
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
