/** Networks behind defenses, as an experiment would leave them: for tests of the report. */
import type { Cell, DefendedCell, Run } from '../../src/core/run.ts';
import { wilson95 } from '../../src/core/statistics.ts';
import { trainingWords } from '../../src/core/training.ts';
import { type SampleOptions, sampleRun } from './sample-run.ts';

const KNOWN: Readonly<Record<string, Pick<NonNullable<Run['defenses']>[number], 'title' | 'params' | 'adversary'>>> = {
  jpeg: {
    title: 'JPEG compression',
    params: { quality: 75, subsampling: '4:2:0' },
    adversary: 'the gradient as if images passed unchanged (BPDA)',
  },
  'random-resize-pad': {
    title: 'Random resizing and padding',
    params: { canvas: 1.107, answers: 4, draws: 8 },
    adversary: 'the mean gradient over other draws than those that answer (EOT)',
  },
};

/** What the cell of a defended network says of the adaptive adversary, and a naive one who leaves a third of the others. */
export function defendedOf({ arch, training, attack, norm, epsilon, ...cell }: Cell): DefendedCell {
  const { training: undefended, defense = '' } = trainingWords(training);
  const { images, cleanCorrect, robustCorrect } = cell;
  const naiveCorrect = Math.round((2 * robustCorrect + cleanCorrect) / 3);
  return {
    ...{ arch, training, defense, undefended, attack, norm, epsilon, images, cleanCorrect, naiveCorrect },
    ...{ adaptiveCorrect: robustCorrect, adaptiveAccuracy: robustCorrect / images },
    ...{ naiveAccuracy: naiveCorrect / images, naiveWilson95: wilson95(naiveCorrect, images) },
    adaptiveWilson95: wilson95(robustCorrect, images),
  };
}

/** Every architecture as it is and behind each of the defenses. */
export async function defendedRun(defenses: readonly string[], options: SampleOptions = {}): Promise<Run> {
  const trainings = ['standard', ...defenses.map((name) => `standard+${name}`)];
  const run = await sampleRun({ galleryRows: 0, ...options, trainings });
  const access = new Map(run.attacks.map((attack) => [attack.name, attack.access]));
  const defended = run.cells.filter(
    ({ training, attack }) => trainingWords(training).defense !== undefined && access.get(attack) !== 'none',
  );
  return {
    ...run,
    provenance: { ...run.provenance, naiveRule: 'naive: made against the network without the defense' },
    defenses: defenses.map((name) => {
      const { title = name, params = {}, adversary = 'the gradient of the defended network' } = KNOWN[name] ?? {};
      return { name, title, params, adversary, paper: 'https://arxiv.org/abs/1802.00420' };
    }),
    defended: defended.map(defendedOf),
  };
}
