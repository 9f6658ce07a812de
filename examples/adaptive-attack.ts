/**
 * An attack that knows the defense. A network sees images through noise and rounding to three levels of grey: one hides the
 * gradient, the other makes it a matter of chance. PGD that takes things as they are hardly harms it; an attack that goes
 * around the rounding (BPDA) and over many draws of the noise (EOT) shows how little the defense is worth.
 *
 *     npx tsx examples/adaptive-attack.ts
 *
 * Athalye, Carlini, Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018.
 */
import { fileURLToPath } from 'node:url';
import {
  backwardPass,
  type Classifier,
  type Contender,
  compile,
  expectationOverTransformation,
  findArchitecture,
  loadAttacks,
  loadCheckpoint,
  type Noise,
  openDataset,
  resolveParams,
  runExperiment,
  type Transfer,
  tf,
  UNTARGETED,
} from 'gibbon';

const EPSILON = 0.2;
const UNSEEN = 'unseen draws';

const toGrey = (x: tf.Tensor4D): tf.Tensor4D => x.mul(2).round().div(2);
/** The same on the way forward; on the way back as if it were not there. */
const toGreyAdaptively = backwardPass({ forward: toGrey });

const behind = (rounded: typeof toGrey) => (x: tf.Tensor4D, noise: Noise) =>
  rounded(x.add(noise(x.shape.slice(1), 'normal').mul(0.2)));

/** What attacks are made against, and, last, the judge: the defended network with draws that no attack has seen. */
const contendersOf = (network: Classifier, architecture: Contender['architecture'], sha256: string): Contender[] => {
  const defended = (training: string, rounded: typeof toGrey, draws: number, seed: number): Contender => ({
    ...{ architecture, training, sha256: `${sha256} ${training}` },
    classifier: expectationOverTransformation(network, { transform: behind(rounded), draws, seed }),
  });
  return [
    defended('as it is', toGrey, 1, 0),
    defended('with BPDA', toGreyAdaptively, 1, 0),
    defended('with BPDA and EOT', toGreyAdaptively, 8, 0),
    defended(UNSEEN, toGrey, 1, 1),
  ];
};

/** How images that are made against the defended network, in three ways, fare on draws of the noise that they have not seen. */
export async function measure(images: number): Promise<readonly Transfer[]> {
  await tf.setBackend('cpu');
  const checkpoint = fileURLToPath(new URL('../checkpoints/mnist/alexnet-standard.safetensors', import.meta.url));
  const { classifier, parameters, sha256, dispose } = await loadCheckpoint(checkpoint);
  const pgd = (await loadAttacks()).get('pgd');
  if (pgd === undefined) throw new Error('pgd is gone');
  const { name, title, paper, year, idea } = findArchitecture('alexnet');
  const run = await runExperiment(
    {
      attacks: [{ attack: pgd, params: resolveParams('pgd', pgd.params, { steps: 10 }) }],
      contenders: contendersOf(classifier, { name, title, paper, year, idea, parameters }, sha256),
      ...{ dataset: await openDataset('mnist', 'test'), images, epsilons: [EPSILON], transferEpsilon: EPSILON },
      ...{ norm: 'Linf', goal: UNTARGETED, seed: 0, restarts: 1, batch: 32, galleryRows: 0 },
    },
    {
      ...{
        prepare: compile,
        backend: 'onnx-cpu',
        command: 'npx tsx examples/adaptive-attack.ts',
        config: {},
        id: 'eot',
      },
      versions: { gibbon: '', commit: null, packages: {} },
    },
  );
  dispose();
  return (run.transfer ?? []).filter(({ source, target }) => source.training !== UNSEEN && target.training === UNSEEN);
}

if (process.argv[1] === import.meta.filename) {
  for (const { source, accuracy, images } of await measure(100)) {
    console.log(`attacked ${source.training}: ${(100 * accuracy).toFixed(1)} % of ${images} images withstand`);
  }
}
