import { counted, duration, whole } from '../../report/format.ts';
import type { TrainingEvent } from '../../train/train.ts';
import { progressLine } from '../progress.ts';
import type { Terminal } from '../terminal.ts';

export interface Watch {
  show(event: TrainingEvent): void;
  end(): void;
}

/** Batches on the progress line; a line that stays for every epoch. */
export function watchTraining(terminal: Terminal, quiet: boolean): Watch {
  const line = progressLine(terminal);
  let [batches, epochs] = [0, 0];
  const show = (event: TrainingEvent): void => {
    if (quiet) return;
    if (event.kind === 'start') {
      ({ batches, epochs } = event);
      terminal.note(`${whole(event.parameters)} parameters, ${counted(batches, 'batch', 'batches')} an epoch`);
    } else if (event.kind === 'batch') {
      const { epoch, batch: done, accuracy } = event;
      line.show({ label: `epoch ${epoch}/${epochs}`, done, total: batches, unit: 'batches', accuracy });
    } else {
      const { epoch, loss, accuracy, validation, seconds } = event.record;
      const watched =
        validation === null
          ? ''
          : `, held out ${percent(validation.clean)} clean, ${percent(validation.robust)} attacked`;
      terminal.note(
        `epoch ${epoch}/${epochs}: loss ${loss.toFixed(4)}, accuracy ${percent(accuracy)}${watched}, ${duration(seconds)}`,
      );
    }
  };
  return { show, end: line.end };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
