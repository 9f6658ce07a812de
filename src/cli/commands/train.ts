import { BACKEND_NAMES, type BackendName } from '../../backends/names.ts';
import { shortPath } from '../../core/files.ts';
import { augmentations } from '../../train/augment.ts';
import { trainingFiles } from '../../train/files.ts';
import type { TrainingPlan } from '../../train/plan.ts';
import { schedules } from '../../train/schedule.ts';
import { backendOfState } from '../../train/state.ts';
import { train as runTraining, type TrainingHarness, type TrainingResult } from '../../train/train.ts';
import { defineCommand, EXIT } from '../command.ts';
import { withDownloads } from '../downloads.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { isTraining, knownDefenses } from '../known-defenses.ts';
import { leftOut } from '../left-out.ts';
import { flagsOfModules } from '../module-flags.ts';
import { openChosen } from '../open-backend.ts';
import { versionsHere } from '../surroundings.ts';
import type { Terminal } from '../terminal.ts';
import { commandOf } from '../train/command.ts';
import { trainFlags } from '../train/flags.ts';
import { planOf } from '../train/plan.ts';
import { type Job, seriesOf } from '../train/series.ts';
import { watchTraining } from '../train/watch.ts';

export const train = defineCommand({
  flags: trainFlags,
  // Read leniently: what is wrong with --training is said when all flags are read.
  moduleFlags: async ({ training }) => {
    const defenses = await knownDefenses(trainFlags.training.parse(training) ?? [], []);
    return flagsOfModules([...[...defenses.values()].filter(isTraining), ...schedules, ...augmentations]);
  },
  run: async ({ values, given, moduleValues, terminal, commandLineWith }) => {
    const { quiet, json } = values;
    const jobs = await seriesOf(values, moduleValues);
    const { name: backend, prepare } = await openChosen(values.backend, {
      ...{ terminal, quiet },
      begunWith: await begunWith(jobs),
    });
    const versions = versionsHere();
    const told: object[] = [];
    for (const [index, job] of jobs.entries()) {
      const { arch, training } = job.values;
      if (job.isDone) {
        terminal.note(`${shortPath(job.out)} is there already and stays as it is`);
        continue;
      }
      if (jobs.length > 1 && !quiet) terminal.note(`${arch} (${training}), ${index + 1} of ${jobs.length}`);
      const plan = await withDownloads(terminal, quiet, (fetching) => planOf(job.values, moduleValues, fetching));
      if (plan === undefined) return EXIT.interrupted;
      const result = await trainOne(plan, terminal, quiet, {
        ...{ prepare, backend, versions },
        out: job.out,
        resume: job.resume,
        command: commandOf(job, given, moduleValues),
      });
      const { history, files } = result;
      if (jobs.length === 1 && json) terminal.print(JSON.stringify(history, null, 2));
      told.push({ arch, training, checkpoint: files.checkpoint, history });
      if (!result.finished) {
        const again = commandLineWith(...(values.resume ? [] : ['--resume']));
        terminal.note(`interrupted; ${shortPath(files.state)} holds the training. Go on with: ${again}`);
        return EXIT.interrupted;
      }
      const skipped = plan.dataset.skipped?.() ?? [];
      if (skipped.length > 0) terminal.note(leftOut(skipped));
      terminal.note(`wrote ${shortPath(files.checkpoint)}; its history: ${shortPath(files.log)}`);
    }
    if (jobs.length > 1 && json) terminal.print(JSON.stringify(told, null, 2));
    return EXIT.ok;
  },
});

/** What computed the training that is gone on with: the first of them, in a series. */
async function begunWith(jobs: readonly Job[]): Promise<BackendName | undefined> {
  const resumed = jobs.find(({ isDone, resume }) => !isDone && resume);
  const begun = resumed && (await backendOfState(trainingFiles(resumed.out).state));
  return BACKEND_NAMES.find((name) => name === begun);
}

/** Trains to the end, or to Ctrl-C. */
async function trainOne(
  plan: TrainingPlan,
  terminal: Terminal,
  quiet: boolean,
  harness: TrainingHarness,
): Promise<TrainingResult> {
  const watch = watchTraining(terminal, quiet);
  const { signal, release } = listenForInterrupt(() => terminal.note('finishing the batch; Ctrl-C again ends at once'));
  try {
    return await runTraining(plan, { ...harness, signal, onProgress: watch.show });
  } finally {
    watch.end();
    release();
  }
}
