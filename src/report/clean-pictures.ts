/**
 * The gallery's clean pictures. Many rows begin with the same one, an image under several attacks, or seen by several
 * networks: it stands in the page once, and its rows refer to it.
 */
import type { GalleryItem } from '../core/run.ts';
import { type Html, html } from './html.ts';

export interface CleanPictures {
  /** Each picture once, in a place that takes none: what is seen are the references. */
  readonly shelf: Html;
  /** The picture of a row; the script finds it by `id`. */
  readonly show: (item: GalleryItem, id: string, alt: string) => Html;
}

export function cleanPictures(gallery: readonly GalleryItem[]): CleanPictures {
  const distinct = new Map<string, { readonly name: string } & Pick<GalleryItem, 'width' | 'height'>>();
  for (const { cleanPng, width, height } of gallery) {
    if (!distinct.has(cleanPng)) distinct.set(cleanPng, { name: `clean-${distinct.size}`, width, height });
  }
  const stored = [...distinct].map(
    ([png, { name, width, height }]) =>
      html`<image id="${name}" href="data:image/png;base64,${png}" width="${width}" height="${height}"/>`,
  );
  return {
    shelf: html`<svg class="shelf" width="0" height="0" aria-hidden="true"><defs>${stored}</defs></svg>`,
    show: ({ cleanPng, ...item }, id, alt) => {
      const { name, width, height } = distinct.get(cleanPng) ?? { name: 'clean', ...item };
      return html`<svg class="picture clean" viewBox="0 0 ${width} ${height}" role="img" aria-label="${alt}"><use id="${id}" href="#${name}"/></svg>`;
    },
  };
}
