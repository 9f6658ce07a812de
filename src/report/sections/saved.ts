import type { Run } from '../../core/run.ts';
import { IMAGES, type SavedImages } from '../../core/saved.ts';
import { counted, enumerate, normSymbol, radius, whole } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle } from '../names.ts';
import { defineSection } from './section.ts';

/** Which adversarial images were kept, where they lie, and how they are checked. */
export const saved = defineSection({
  id: 'saved',
  title: 'Saved adversarial images',
  render: (run) => run.saved && savedFiles(run, run.saved),
});

function savedFiles(run: Run, files: readonly SavedImages[]): Html {
  if (files.length === 0) return html`<p>Adversarial images were to be kept, and there were none.</p>`;
  return html`<p>${summary(files)} They lie in ${code(`${IMAGES}/`)} beside this page; called in the folder of the page, this command checks them against the network and the numbers above:</p>
<pre class="command"><code>gibbon verify .</code></pre>
<details><summary>The files (${whole(files.length)})</summary>
<section class="scroll" tabindex="0" aria-labelledby="saved-caption">
<table class="plain sortable">
<caption id="saved-caption"><span>Images kept of each network, attack and radius: those that are adversarial, those of them whose PNG is too, and those whose PNG has left the ball.</span></caption>
<thead><tr><th scope="col">Architecture</th><th scope="col">Training</th><th scope="col">Attack</th><th scope="col" class="figure">ε</th><th scope="col" class="figure">Images</th><th scope="col" class="figure">Adversarial</th><th scope="col" class="figure">As PNG</th><th scope="col" class="figure">PNG outside</th><th scope="col">File</th></tr></thead>
<tbody>${files.map((file) => row(run, file))}</tbody>
</table>
</section></details>`;
}

const code = (text: string): Html => html`<code>${text}</code>`;

/** How many in all, and what their rounding did to the PNGs of those that are adversarial. */
function summary(files: readonly SavedImages[]): Html {
  const sum = (of: (file: SavedImages) => number): number => files.reduce((total, file) => total + of(file), 0);
  const [images, fooled, rounded] = [sum((f) => f.images), sum((f) => f.fooled), sum((f) => f.fooledRounded)];
  const roundings = enumerate([...new Set(files.map(({ rounding }) => ROUNDED[rounding]))]);
  const outside = sum((f) => f.outsideRounded);
  const left =
    outside === 0
      ? 'None of these PNGs has left its ball.'
      : `${whole(outside)} of these PNGs ${outside === 1 ? 'has' : 'have'} left the ball through the rounding; the float32 images have not.`;
  return html`${counted(images, 'image was', 'images were')} kept as float32 and as PNG, ${whole(fooled)} of them adversarial. As PNGs, whose pixels are rounded ${roundings}, ${whole(rounded)} of those are adversarial still. ${left}`;
}

const ROUNDED: Readonly<Record<SavedImages['rounding'], string>> = {
  nearest: 'to the nearest level',
  inward: 'towards the clean image',
};

function row(run: Run, file: SavedImages): Html {
  const { arch, training, attack, norm, epsilon, images, fooled, fooledRounded, outsideRounded } = file;
  const numbers = [images, fooled, fooledRounded, outsideRounded];
  return html`<tr><th scope="row">${architectureTitle(run, arch)}</th><td>${training}</td><td>${attack}</td><td class="figure" data-value="${epsilon}">${together(`${normSymbol(norm)} ${radius(epsilon)}`)}</td>${numbers.map((number) => html`<td class="figure" data-value="${number}">${whole(number)}</td>`)}<td>${code(file.file)}</td></tr>`;
}
