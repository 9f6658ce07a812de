import type { GalleryItem, Run } from '../../core/run.ts';
import type { Goal } from '../../core/threat-model.ts';
import { type CleanPictures, cleanPictures } from '../clean-pictures.ts';
import { asSentence, className, normSymbol, percent, radius, significant, whole } from '../format.ts';
import { type Content, type Html, html, together } from '../html.ts';
import { architectureTitle, howTrained } from '../names.ts';
import { groupBy, isOf, sameRadius } from '../slice.ts';
import { defineSection } from './section.ts';
import { verdict } from './verdict.ts';

/** The panda figure for real images of the run: x + δ = x′, failures included. */
export const gallery = defineSection({
  id: 'gallery',
  title: 'What the images look like',
  render: (run) => (run.gallery.length === 0 ? undefined : html`${rule(run)}${renderGroups(run)}`),
});

const rule = (run: Run): Html =>
  html`<p>${asSentence(run.provenance.galleryRule)} Each row reads ${together('x + δ = x′')}: the clean image, the perturbation, stretched by the stated factor to be visible, and their sum, with what the network sees in it.</p>`;

interface Placed {
  readonly item: GalleryItem;
  /** Its place in the run's gallery. */
  readonly index: number;
}

/** Groups of pictures in plain sight; further ones wait to be unfolded. */
const UNFOLDED = 6;

function renderGroups(run: Run): Html {
  const baselines = new Set(run.attacks.filter((attack) => attack.access === 'none').map((attack) => attack.name));
  const placed = run.gallery.map((item, index): Placed => ({ item, index }));
  const clean = cleanPictures(run.gallery);
  const groups = groupBy(placed, ({ item: { arch, training, attack, norm, epsilon } }) =>
    JSON.stringify([arch, training, attack, norm, epsilon]),
  );
  const rendered = [...groups.values()]
    .flatMap((group) => (group[0] === undefined ? [] : [{ first: group[0].item, group }]))
    // What a blind perturbation looks like is of interest last.
    .toSorted((a, b) => Number(baselines.has(a.first.attack)) - Number(baselines.has(b.first.attack)))
    .map(({ first, group }) => renderGroup(run, first, group, clean));
  const folded = rendered.slice(UNFOLDED);
  return html`${clean.shelf}${rendered.slice(0, UNFOLDED)}${
    folded.length > 0 && html`<details><summary>${whole(folded.length)} more</summary>${folded}</details>`
  }`;
}

/** From this many pixels on, a picture is a photograph: shown large and smooth, where small ones show their pixels. */
const PHOTOGRAPH = 96;

function renderGroup(run: Run, first: GalleryItem, group: readonly Placed[], clean: CleanPictures): Html {
  const { arch, training, attack, norm, epsilon } = first;
  const goal = goalOf(run, first);
  const fooled = group.filter(({ item }) => item.fooled).length;
  const done = goal.kind === 'targeted' ? `taken for ${className(goal.target, run.classes)}` : 'fooled';
  const kind = group.some(({ item }) => item.width >= PHOTOGRAPH) ? 'gallery photographs' : 'gallery';
  return html`<div class="gallery-group">
<h3>${architectureTitle(run, arch)}, ${howTrained(training)} <span>${attack}, ${together(`${normSymbol(norm)} ε = ${radius(epsilon)}`)}, ${whole(fooled)} of ${whole(group.length)} ${done}</span></h3>
<div class="${kind}">${group.map((placed) => renderItem(placed, { labelled: labelWord(run), goal, seeksNearest: hasDistances(run, first), clean }))}</div>
</div>`;
}

/** What the attack of these pictures was after. */
const goalOf = ({ cells }: Run, item: GalleryItem): Goal =>
  cells.find(
    (cell) =>
      isOf(cell, item) &&
      cell.attack === item.attack &&
      cell.norm === item.norm &&
      sameRadius(cell.epsilon, item.epsilon),
  )?.goal ?? { kind: 'untargeted' };

/** What the label of an image is: where nobody knows it, the network's own word stands in. */
const labelWord = ({ provenance }: Run): string =>
  provenance.dataset.labels === 'true labels' ? 'true class' : 'seen unharmed as';

/** Whether the attack of these pictures is one of minimum norm: to those the run gives distances. */
const hasDistances = ({ distances = [] }: Run, item: GalleryItem): boolean =>
  distances.some((entry) => isOf(entry, item) && entry.attack === item.attack && entry.norm === item.norm);

interface Setting {
  /** What the label of an image is called. */
  readonly labelled: string;
  readonly goal: Goal;
  readonly seeksNearest: boolean;
  readonly clean: CleanPictures;
}

function renderItem({ item, index }: Placed, { labelled, goal, seeksNearest, clean }: Setting): Html {
  const after = item.adversarialTop[0];
  return html`<figure class="example ${item.fooled ? 'fooled' : 'held'}">
<div class="equation">
${clean.show(item, pictureId(index, 'cleanPng'), `clean image, ${labelled} ${item.label.name}`)}
<span class="operator" aria-hidden="true">+</span>
${picture(item, index, 'perturbationPng', 'perturbation, stretched to be visible')}
<span class="operator" aria-hidden="true">=</span>
${picture(item, index, 'adversarialPng', `adversarial image, taken for ${after?.name ?? 'an unknown class'}`)}
${seen(item.cleanTop[0], false)}
<p class="under middle">δ × ${significant(item.perturbationScale, 3)}</p>
${seen(after, item.fooled)}
${tops(item.cleanTop, item.label.label)}
<p class="verdict">${verdict(item, goal, seeksNearest)}</p>
${tops(item.adversarialTop, item.label.label)}
</div>
<figcaption>${item.id}, ${labelled} ${item.label.name}</figcaption>
</figure>`;
}

type Seen = GalleryItem['cleanTop'][number];

/** The likeliest class of a picture, under it. */
const seen = (top: Seen | undefined, fooled: boolean): Html =>
  html`<p class="under"><b class="${fooled && 'attacked'}">${top?.name ?? '–'}</b> ${top && together(percent(top.confidence))}</p>`;

const CLASSES = { perturbationPng: 'perturbation', adversarialPng: 'adversarial' } as const;
type PictureField = keyof typeof CLASSES;

/** The script finds a picture by it. */
const pictureId = (index: number, field: PictureField | 'cleanPng'): string => `gallery-${index}-${field}`;

const picture = (item: GalleryItem, index: number, field: PictureField, alt: string): Html =>
  html`<img id="${pictureId(index, field)}" class="picture ${CLASSES[field]}" src="data:image/png;base64,${item[field]}" width="${item.width}" height="${item.height}" alt="${alt}">`;

/** The five likeliest classes with their confidences; the true one is marked. */
const tops = (top: GalleryItem['cleanTop'], truth: number): Html =>
  html`<ol class="tops">${top
    .slice(0, 5)
    .map(
      ({ label, name, confidence }) =>
        html`<li class="${label === truth ? 'truth' : 'other'}">${classCell(name, label === truth && html`<span class="aside"> (true class)</span>`)}<svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="${(100 * confidence).toFixed(2)}" height="6"/></svg><span class="number">${percent(confidence)}</span></li>`,
    )}</ol>`;

/** Names up to so many characters fit their column everywhere. */
const SHORT = 8;

/** A longer name may end in an ellipsis, so it has the whole as its title. */
const classCell = (name: string, more: Content): Html =>
  html`<span class="class"${name.length > SHORT && html` title="${name}"`}>${name}${more}</span>`;
