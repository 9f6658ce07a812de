/** Random valid runs, and strings that want out of whatever they are put into. */
import fc from 'fast-check';
import { type Cell, RUN_SCHEMA, type Run } from '../../src/core/run.ts';
import { THREATS } from '../../src/core/threat-model.ts';
import { sampleCertificates } from './sample-certificates.ts';
import { confusionOf, perturbationsOf, traceOf } from './sample-course.ts';
import { defendedOf } from './sample-defenses.ts';
import { cellOf } from './sample-run.ts';

/** What an attacker, a careless folder name or a foreign alphabet may put into a name. */
export const HOSTILE: readonly string[] = [
  '<script>window.broken=1</script>',
  '"><img src=x onerror=window.broken=1>',
  "' onmouseover='window.broken=1",
  '</script><script>window.broken=1</script>',
  '</title></style></textarea><!--',
  ']]>--><svg onload=window.broken=1>',
  '&lt;b&gt; &amp; &#0;',
  '`);window.broken=1;(`',
  'javascript:window.broken=1',
  '=HYPERLINK("http://example.com")',
  '\u0000\u001b[31m\u202egnp.exe\u2028\u2029\ufffe',
  '\ud800 lonely',
  '  \t\r\n ',
  '',
  '猿は木から落ちる 🦧',
];

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.array(fc.constantFrom(...HOSTILE), { maxLength: 3 }).map((parts) => parts.join('')),
);

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==';

const counts = fc
  .tuple(fc.integer({ min: 1, max: 10_000 }), fc.nat({ max: 1000 }), fc.nat({ max: 1000 }))
  .map(([images, a, b]) => {
    const clean = Math.round((images * a) / 1000);
    return { images, clean, robust: Math.round((clean * b) / 1000) };
  });

const names = (of: fc.Arbitrary<string>): fc.Arbitrary<string[]> => fc.uniqueArray(of, { minLength: 1, maxLength: 2 });

const top = (text: fc.Arbitrary<string>): fc.Arbitrary<Run['gallery'][number]['cleanTop']> =>
  fc.array(fc.record({ label: fc.nat(9), name: text, confidence: fc.double({ min: 0, max: 1, noNaN: true }) }), {
    maxLength: 5,
  });

/** A run that the schema accepts: any number of cells from one on, holes in the grid, no or all images correct. */
export const arbitraryRun = (text: fc.Arbitrary<string> = hostileText): fc.Arbitrary<Run> =>
  fc
    .record({
      archs: names(text),
      trainings: fc.oneof(fc.constant<string[]>(['standard', 'adversarial']), names(text)),
      attacks: names(text),
      norm: fc.constantFrom(...THREATS),
      epsilons: fc.uniqueArray(fc.constantFrom(0, 1e-5, 1 / 255, 8 / 255, 0.1, 0.3, 0.5, 1), {
        minLength: 1,
        maxLength: 4,
      }),
      classes: fc.array(text, { maxLength: 10 }),
      target: fc.option(fc.nat(12)),
      texts: fc.array(text, { minLength: 10, maxLength: 10 }),
      verdict: fc.constantFrom('pass', 'warn', 'fail', 'not-run'),
      tops: fc.tuple(top(text), top(text)),
      fooled: fc.boolean(),
    })
    .chain((shape) => {
      const boxes = shape.archs.flatMap((arch) =>
        shape.trainings.flatMap((training) =>
          shape.attacks.flatMap((attack) => shape.epsilons.map((epsilon) => ({ arch, training, attack, epsilon }))),
        ),
      );
      return fc
        .tuple(
          fc.subarray(boxes, { minLength: 1 }),
          fc.array(counts, { minLength: boxes.length, maxLength: boxes.length }),
        )
        .map(([measured, numbers]) => {
          const goal =
            shape.target === null
              ? ({ kind: 'untargeted' } as const)
              : ({ kind: 'targeted', target: shape.target } as const);
          const cells = measured.map((box, i) =>
            cellOf({ ...box, norm: shape.norm, goal, ...(numbers[i] ?? { images: 1, clean: 0, robust: 0 }) }),
          );
          return runOf(shape, cells);
        });
    });

/** Made against the network of the first cell, tried on that of every other; now and then there is but itself. */
const transferOf = ([first, ...others]: readonly Cell[]): Run['transfer'] =>
  first === undefined
    ? []
    : [...new Map([first, ...others].map((cell) => [JSON.stringify([cell.arch, cell.training]), cell])).values()].map(
        ({ arch, training, images, robustCorrect, robustAccuracy, wilson95 }) => ({
          source: { arch: first.arch, training: first.training },
          target: { arch, training },
          ...{ attack: first.attack, norm: first.norm, epsilon: first.epsilon, images },
          ...{ fooled: images - robustCorrect, whiteBoxFooled: images, accuracy: robustAccuracy, wilson95 },
        }),
      );

/** Of every cell's network as many images as the share of one decides; of a third of them nothing is found, or of all. */
const distancesOf = (cells: readonly Cell[]): Run['distances'] =>
  cells.flatMap(({ arch, training, attack, norm, robustAccuracy, images }, i) =>
    norm === 'spatial'
      ? []
      : {
          ...{ arch, training, attack, norm, median: i % 2 === 0 ? robustAccuracy : null },
          values: Array.from({ length: 1 + (images % 7) }, (_, n) =>
            i % 4 === 3 || n % 3 === 2 ? null : n === 0 ? 0 : 10 ** (i - 3) * robustAccuracy * n,
          ),
        },
  );

/** Of every cell's network a few images, at levels of noise of all sizes. */
const certificatesOf = (cells: readonly Cell[]): NonNullable<Run['certificates']> =>
  cells.map(({ arch, training, images }, i) =>
    sampleCertificates({ arch, training, sigma: 10 ** ((i % 4) - 2), images: 1 + (images % 7) }),
  );

/** Every cell's network, behind a defense of any name. */
const behind = (cells: readonly Cell[], name: string): Pick<Run, 'defenses' | 'defended'> => ({
  defenses: [{ name, title: name, params: { [name]: name }, adversary: name }],
  defended: cells.map((cell) => ({ ...defendedOf(cell), defense: name, undefended: name })),
});

/** Every cell's images, as if all had been kept. */
const savedOf = (cells: readonly Cell[]): Run['saved'] =>
  cells.map(({ arch, training, attack, norm, epsilon, images, robustCorrect }, i) => ({
    ...{ arch, training, attack, norm, epsilon, images, kept: 'all', rounding: i % 2 === 0 ? 'nearest' : 'inward' },
    ...{ fooled: images - robustCorrect, fooledRounded: images - robustCorrect, outsideRounded: i },
    ...{ file: `images/a/b/c/${i}.safetensors`, pictures: `images/a/b/c/${i}`, sha256: '0'.repeat(64) },
  }));

/** The course of every cell's attack: some short, some long, some without losses, of few classes and of many. */
const courseOf = (cells: readonly Cell[], classes: number, few: boolean): Partial<Run> => ({
  traces: cells.map((cell, i) => {
    const trace = traceOf(cell, i % 3 === 0 ? [0, 1] : [0, 10 ** (i % 12), 10 ** (i % 12) + 1]);
    const { loss: _, ...silent } = trace;
    return i % 2 === 0 ? trace : silent;
  }),
  perturbations: cells.filter(({ norm }) => norm !== 'spatial').map(perturbationsOf),
  confusions: cells.map((cell) => confusionOf(cell, Math.max(3, classes + (few ? 0 : 20)), few)),
});

interface Shape {
  readonly archs: readonly string[];
  readonly trainings: readonly string[];
  readonly attacks: readonly string[];
  readonly classes: readonly string[];
  readonly texts: readonly string[];
  readonly verdict: Run['checks'][number]['verdict'];
  readonly tops: readonly [Run['gallery'][number]['cleanTop'], Run['gallery'][number]['cleanTop']];
  readonly fooled: boolean;
}

function runOf({ archs, attacks, classes, texts, verdict, tops, fooled }: Shape, cells: readonly Cell[]): Run {
  const text = (i: number): string => texts[i] ?? '';
  const paper = 'https://example.com/?a=1&b="<script>';
  const { arch = '', training = '', attack = '', norm = 'Linf', epsilon = 0 } = cells[0] ?? {};
  return {
    schema: RUN_SCHEMA,
    id: text(0),
    command: text(1),
    config: { [text(2)]: text(3) },
    provenance: {
      started: '2026-01-02T03:04:05Z',
      finished: '2026-01-02T03:04:06Z',
      gibbon: text(4),
      node: text(5),
      packages: { [text(6)]: text(7) },
      commit: null,
      platform: text(8),
      cpu: text(9),
      cores: 1,
      backend: text(0),
      seed: 0,
      dataset: { name: text(1), split: text(2), images: 1, sha256: text(3), labels: text(4), selection: text(5) },
      weights: { [text(6)]: text(7) },
      phases: { [text(8)]: 1 },
      iteratePolicy: text(9),
      galleryRule: text(0),
      ...(fooled ? { transferRule: text(1), naiveRule: text(7), backendDifference: 1e-7, device: text(2) } : {}),
    },
    architectures: archs.map((name, i) => ({
      ...{ name, title: name, paper, year: 2000, idea: text(1), parameters: 1 },
      // Some say nothing of what they cost, as older runs do.
      ...(fooled ? { multiplyAdds: 10 ** (3 * i), published: { top1: 0.5, source: text(i) } } : {}),
    })),
    attacks: attacks.map((name, i) => ({ name, title: text(i), paper, access: i === 0 ? 'none' : 'gradient' })),
    classes: [...classes],
    cells: [...cells],
    checks: [{ name: text(2), verdict, value: null, threshold: 1, why: text(3), link: paper }],
    ...(fooled ? { transfer: transferOf(cells) } : { distances: distancesOf(cells), saved: savedOf(cells) }),
    ...courseOf(cells, classes.length, fooled),
    ...(fooled ? behind(cells, text(6)) : {}),
    ...(fooled ? {} : { certificates: certificatesOf(cells) }),
    ...(fooled ? { performance: [{ contender: `${arch}/${training}`, forwardPerSecond: 0.5, peakMemory: 1 }] } : {}),
    gallery: [
      {
        ...{ arch, training, attack, norm, epsilon, id: text(4), label: { label: 0, name: text(5) } },
        ...{ fooled, fooled8bit: !fooled, width: 1, height: 1, perturbationScale: 1 },
        ...{ cleanPng: PIXEL, adversarialPng: PIXEL, perturbationPng: PIXEL },
        ...{ cleanTop: tops[0], adversarialTop: tops[1] },
      },
    ],
  };
}
