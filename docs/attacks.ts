/**
 * `docs/attacks.md`, the page of all attacks. What an attack is comes from the header of its file, what it takes from its
 * declaration, and what it costs from a rehearsal, so nothing is written twice.
 *
 *     UPDATE_README=1 npx vitest run test/house/attacks-page.test.ts
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { valueInWords } from '../src/cli/inventory.ts';
import { markdownTable } from '../src/cli/markdown.ts';
import { type Access, type Attack, type Ensemble, isEnsemble } from '../src/core/attack.ts';
import { loadAttacks } from '../src/discover/modules.ts';
import { type PlannedStage, stagesOf } from '../src/evaluate/plan.ts';
import { planAttack } from '../src/evaluate/plan-attack.ts';
import { drawsNoise, type Rehearsal, rehearse } from '../src/evaluate/rehearse/rehearse.ts';
import type { FitRehearsal } from '../src/evaluate/rehearse/rehearse-fit.ts';
import { headerOf, toMarkdown } from './header.ts';

/** What costs are counted for: they may depend on the number of classes. */
const NETWORK = { input: [28, 28, 1], classes: 10 } as const;

const ORDER: readonly (readonly [Access, string, string])[] = [
  [
    'gradient',
    'Attacks that follow the gradient',
    'They differentiate the network: the strongest, and the first to try.',
  ],
  [
    'score',
    'Attacks that see logits alone',
    'They ask the network questions and read its logits: no gradient can be masked from them.',
  ],
  [
    'decision',
    'Attacks that see the predicted class alone',
    'They learn from each question which class the network decides on, and nothing else.',
  ],
  ['none', 'Baselines that look at nothing', 'What a perturbation of the same size costs when nobody aims it.'],
];

/** An attack with what its file says and what a rehearsal of each of its stages shows. */
interface Described {
  readonly attack: Attack | Ensemble;
  readonly header: string;
  readonly stages: readonly { readonly stage: PlannedStage; readonly rehearsal: Rehearsal }[];
}

/** The whole page. */
export async function attacksPage(): Promise<string> {
  const known = await loadAttacks();
  const attacks: Described[] = [];
  for (const attack of known.values()) attacks.push(await describe(attack, known));
  const ensembles = attacks.filter(({ attack }) => isEnsemble(attack));
  const sections = ORDER.map(([access, title, why]) => {
    const seeing = attacks.filter(({ attack }) => !isEnsemble(attack) && attack.access === access);
    return sectionOf(title, why, seeing);
  });
  return [
    '# Attacks',
    INTRODUCTION,
    overview(attacks),
    ...sections.flat(),
    ...sectionOf(
      'Ensembles',
      'Attacks made of others, each of which meets only what those before it left standing.',
      ensembles,
    ),
  ]
    .join('\n\n')
    .concat('\n');
}

const INTRODUCTION = `<!-- Made from the headers and declarations in attacks/ and from rehearsals, see test/house/attacks-page.test.ts -->

In the equations x is the image, y its class, J the loss that the adversary raises (cross-entropy unless said otherwise), Π
the projection onto the ball of radius ε and the box [0,1], and \`steepest\` the direction of unit length in which a linear
function rises most: the sign in L∞, the normalised gradient in L2. Pixels are in [0,1], and so are all lengths.

**Cost** counts, for one image that is never fooled, one try with default parameters, and a network of ${NETWORK.classes} classes: gradients,
and forward passes beyond those that a gradient at the same point includes. A fooled image ends an attack in a ball, and the
separate verification adds a forward pass for every candidate that could count. Where an attack draws **noise**,
\`--restarts\` tries again with fresh one; where it does not, every try would be the same, and there is one.

An attack of **minimum norm** looks for the nearest adversarial image, so one search serves all radii. An attack that **aims**
goes at the likeliest wrong classes one after the other, a try for each; with \`--target\` every attack goes at that class alone.
One that is **fitted** learns first what is the same for all images, on the training split where there is one; each radius then
says what that one thing does, whatever others did at smaller ones.

Parameters are flags: \`--pgd.steps 100\`. Every attack has passed the laws in \`src/laws/\`; those that another program
computes too are held against its numbers.`;

async function describe(attack: Attack | Ensemble, known: ReadonlyMap<string, Attack | Ensemble>): Promise<Described> {
  const stages: Described['stages'][number][] = [];
  const [norm] = attack.norms;
  if (norm === undefined) throw new Error(`${attack.name} knows no norm`);
  for (const stage of stagesOf(planAttack(attack, {}, known, norm))) {
    const { params } = stage;
    stages.push({
      stage,
      rehearsal: await rehearse({ attack: stage.attack, params, classifier: NETWORK, norm, targeted: false }),
    });
  }
  const file = fileURLToPath(new URL(`../attacks/${attack.name}.ts`, import.meta.url));
  return { attack, header: headerOf(readFileSync(file, 'utf8')), stages };
}

function overview(attacks: readonly Described[]): string {
  return markdownTable(
    ['attack', 'what it is', 'norms', 'sees', 'kind', 'cost of a try'],
    attacks.map(({ attack, stages }) => [
      `[\`${attack.name}\`](#${attack.name})`,
      attack.title,
      attack.norms.join(', '),
      attack.access,
      kindOf(attack, stages),
      stages.length > 1 ? 'that of its stages' : stages.map(({ rehearsal }) => costOf(rehearsal)).join(),
    ]),
  );
}

function kindOf(attack: Attack | Ensemble, stages: Described['stages']): string {
  if (isEnsemble(attack)) return `ensemble of ${stages.length}`;
  const [aimed] = stages.map(({ rehearsal }) => rehearsal.targets);
  const kind =
    attack.minimumNorm === true ? 'minimum norm' : attack.fit === undefined ? 'in a ball' : 'in a ball, fitted';
  return aimed === undefined ? kind : `${kind}, aimed at ${aimed}`;
}

/** Empty where there are no such attacks. */
function sectionOf(title: string, why: string, attacks: readonly Described[]): string[] {
  return attacks.length === 0 ? [] : [`## ${title}`, why, ...attacks.flatMap(entryOf)];
}

function entryOf({ attack, header, stages }: Described): string[] {
  const facts = isEnsemble(attack) ? [stageTable(stages)] : stages.map(({ rehearsal }) => factsOf(attack, rehearsal));
  return [
    `### ${attack.name}`,
    `**[${attack.title}](${attack.paper})** · ${attack.norms.join(', ')} · sees ${SEES[attack.access]}`,
    toMarkdown(header),
    ...facts,
    paramTable(attack),
    `[Its code](../attacks/${attack.name}.ts)`,
  ].filter((part) => part !== '');
}

const SEES: Readonly<Record<Access, string>> = {
  none: 'nothing',
  decision: 'the class',
  score: 'logits',
  gradient: 'the gradient',
};

function factsOf(attack: Attack, rehearsal: Rehearsal): string {
  const { steps, targets, fit } = rehearsal;
  const facts = [
    attack.minimumNorm === true ? 'of minimum norm' : 'in a ball',
    `${counted(steps, 'step')} by default`,
    `a try costs ${costOf(rehearsal)}`,
    drawsNoise(rehearsal) ? 'draws noise' : 'draws no noise',
    ...(targets === undefined ? [] : [`aims at ${counted(targets, 'class', 'classes')} in turn`]),
    ...(fit === undefined ? [] : [fitInWords(fit)]),
  ];
  return facts.map((fact) => `- ${fact}`).join('\n');
}

/** What is learnt before the first image, at most. */
function fitInWords({ images, batch, passes, steps, init, step }: FitRehearsal): string {
  const gradients = batch * (init.gradients + passes * Math.ceil(images / batch) * steps * step.gradients);
  return `is fitted first, for each network and radius, with at most ${counted(gradients, 'gradient')} on ${counted(images, 'image')}`;
}

const stageTable = (stages: Described['stages']): string =>
  markdownTable(
    ['stage', 'parameters', 'cost of a try', 'tries'],
    stages.map(({ stage: { attack, params }, rehearsal }) => [
      `[\`${attack.name}\`](#${attack.name})`,
      Object.entries(params)
        .map(([name, value]) => `\`${name}\` ${valueInWords(value)}`)
        .join(', '),
      costOf(rehearsal),
      rehearsal.targets === undefined ? '1' : `${rehearsal.targets}, one per class`,
    ]),
  );

const paramTable = ({ name, params }: Attack | Ensemble): string =>
  Object.keys(params).length === 0
    ? ''
    : markdownTable(
        ['parameter', 'default', 'accepts', 'what it is'],
        Object.entries(params).map(([key, { default: initial, accepts, label }]) => [
          `\`--${name}.${key}\``,
          valueInWords(initial),
          accepts,
          label,
        ]),
      );

/** `100 gradients, 1 forward pass`: one try, at one image that is never fooled. */
function costOf({ steps, init, step }: Rehearsal): string {
  const gradients = init.gradients + steps * step.gradients;
  const forwards = init.forwards + steps * step.forwards;
  const parts = [
    ...(gradients > 0 ? [counted(gradients, 'gradient')] : []),
    ...(forwards > 0 ? [counted(forwards, 'forward pass', 'forward passes')] : []),
  ];
  return parts.join(', ') || 'nothing';
}

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
