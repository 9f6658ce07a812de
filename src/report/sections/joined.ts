import type { Run } from '../../core/run.ts';
import { counted, instant, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { defineSection } from './section.ts';

/** Which runs stand together here, and how each of them is made again. */
export const joined = defineSection({
  id: 'joined',
  title: 'The runs that were joined',
  render: (run) => run.sources && sourcesTable(run.sources),
});

type Sources = NonNullable<Run['sources']>;

function sourcesTable(sources: Sources): Html {
  return html`<p>This page puts ${counted(sources.length, 'run')} together that measured the same images. A number that several of them hold was found to be the same in all, and stands here once. Which images withstood which attack stands in none of them, so that a worst case over attacks of several runs is only bounded: by the lowest that one of them counted.</p>
<section class="scroll" tabindex="0" aria-labelledby="joined-caption">
<table class="plain">
<caption id="joined-caption"><span>The runs, in the order in which they were named.</span></caption>
<thead><tr><th scope="col">Run</th><th scope="col">Finished</th><th scope="col" class="figure">Networks</th><th scope="col">Gibbon</th><th scope="col">Machine</th></tr></thead>
<tbody>${sources.map(row)}</tbody>
</table>
</section>
<details><summary>Their commands and the SHA-256 of each run.json</summary>
${sources.map(command)}
</details>`;
}

function row({ id, provenance }: Sources[number]): Html {
  const { finished, weights, gibbon, commit, cpu, cores, backend } = provenance;
  const version = commit === null ? gibbon : html`${gibbon}, commit <code>${commit.slice(0, COMMIT)}</code>`;
  return html`<tr><th scope="row">${id}</th><td>${instant(finished)}</td><td class="figure">${whole(Object.keys(weights).length)}</td><td>${version}</td><td>${cpu}, ${counted(cores, 'core')}, ${backend}</td></tr>`;
}

/** Letters by which a commit is known. */
const COMMIT = 10;

const command = ({ id, command: words, sha256 }: Sources[number]): Html =>
  html`<p><b>${id}</b> <code>${sha256}</code></p>
<pre class="command"><code>${words}</code></pre>`;
