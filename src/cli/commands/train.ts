import { duration } from '../../report/format.ts';
import { schedules } from '../../train/schedule.ts';
import { train as runTraining, type TrainingEvent } from '../../train/train.ts';
import { openBackend } from '../backend.ts';
import { checkpointPath } from '../checkpoints.ts';
import { defineCommand, EXIT } from '../command.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { flagsOfModules } from '../module-flags.ts';
import { loadDefenses } from '../modules.ts';
import { shortPath } from '../paths.ts';
import { progressLine } from '../progress.ts';
import { versionsHere } from '../surroundings.ts';
import type { Terminal } from '../terminal.ts';
import { planOf, trainFlags } from '../train/plan.ts';

export const train = defineCommand({
  flags: trainFlags,
  moduleFlags: async () => flagsOfModules([...(await loadDefenses()).values(), ...schedules]),
  run: async ({ values, moduleValues, terminal, commandLine, commandLineWith }) => {
    const plan = await planOf(values, moduleValues);
    const { name: backend, prepare } = await openBackend(values.backend);
    const { name, training } = plan.defense;
    const out = values.out ?? checkpointPath(values.dataset, values.arch, training ?? name);
    const watch = watchTraining(terminal, values.quiet);
    const interrupt = listenForInterrupt(() => terminal.note('finishing the batch; Ctrl-C again ends at once'));
    try {
      const { signal } = interrupt;
      const { resume } = values;
      const result = await runTraining(plan, {
        ...{ prepare, backend, out, resume, signal },
        versions: versionsHere(),
        command: commandLine,
        onProgress: watch.show,
      });
      watch.end();
      if (values.json) terminal.print(JSON.stringify(result.history, null, 2));
      if (!result.finished) {
        const again = commandLineWith(...(resume ? [] : ['--resume']));
        terminal.note(`interrupted; ${shortPath(result.files.state)} holds the training. Go on with: ${again}`);
        return EXIT.interrupted;
      }
      terminal.note(`wrote ${shortPath(result.files.checkpoint)}; its history: ${shortPath(result.files.log)}`);
      return EXIT.ok;
    } finally {
      watch.end();
      interrupt.release();
    }
  },
});

/** Batches on the progress line; a line that stays for every epoch. */
function watchTraining(terminal: Terminal, quiet: boolean) {
  const line = progressLine(terminal);
  let [batches, epochs] = [0, 0];
  const show = (event: TrainingEvent): void => {
    if (quiet) return;
    if (event.kind === 'start') {
      ({ batches, epochs } = event);
      terminal.note(`${event.parameters} parameters, ${batches} batches an epoch`);
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
