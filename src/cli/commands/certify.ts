import { runCertification } from '../../certify/certification.ts';
import { type CertificationEvent, certificationParts } from '../../certify/plan.ts';
import type { Run } from '../../core/run.ts';
import { certifyFlags } from '../certify/flags.ts';
import { configOf, planOf, type Work } from '../certify/plan.ts';
import { type CommandInput, defineCommand, EXIT } from '../command.ts';
import { withDownloads } from '../downloads.ts';
import { type Ended, goingOn, journaled } from '../journaled.ts';
import { openFile } from '../open.ts';
import { runId } from '../out-folder.ts';
import { type Progress, progressLine } from '../progress.ts';
import { showRun, wordsToGoOn } from '../show-run.ts';
import { versionsHere } from '../surroundings.ts';

export const certify = defineCommand({
  flags: certifyFlags,
  run: async (input) => {
    const { values, given, terminal, commandLineWith } = input;
    const { quiet, json } = values;
    const work = await withDownloads(terminal, quiet, (fetching) =>
      planOf(values, given, fetching, new Date(), terminal),
    );
    if (work === undefined) return EXIT.interrupted;
    if (!quiet) for (const note of work.notes) terminal.note(note);
    const { result: run, folder } = await carryOut(work, input);
    if (run === undefined) {
      terminal.note(`interrupted. Go on with: ${commandLineWith(...wordsToGoOn(values, folder))}`);
      return EXIT.interrupted;
    }
    const report = await goingOn(folder, () => showRun(run, folder, json, terminal));
    if (values.open) openFile(report, () => terminal.note(`no browser to open it in; open ${report} yourself`));
    return EXIT.ok;
  },
});

/** Certifies to the end, or to Ctrl-C. */
async function carryOut(
  work: Work,
  { values, given, terminal, commandLine: command }: CommandInput<typeof certifyFlags>,
): Promise<Ended<Run>> {
  const { plan, backend, folder, claim } = work;
  const { resume, quiet } = values;
  const line = progressLine(terminal);
  const versions = versionsHere();
  const parts = () => certificationParts(plan, { backend: backend.name, versions });
  try {
    return await journaled({ folder, claim, resume, command, terminal, parts }, (workshop) =>
      runCertification(plan, {
        ...{ prepare: backend.prepare, backend: backend.name, command, versions },
        ...{ backendDifference: backend.difference, device: backend.device },
        ...{ journal: workshop.journal, signal: workshop.signal },
        config: configOf(values, given, work),
        id: runId(workshop.folder),
        ...(quiet ? {} : { onProgress: (event) => line.show(progressOf(event)) }),
      }),
    );
  } finally {
    line.end();
  }
}

const progressOf = ({ contender, sigma, done, total, accuracy }: CertificationEvent): Progress => ({
  label: `${contender} σ = ${sigma}`,
  ...{ done, total, accuracy },
  unit: 'images',
});
