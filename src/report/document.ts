/** The frame of every page: head, policy, style, brand and script. */
import { createHash } from 'node:crypto';
import { type Html, html, raw } from './html.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

export interface PageParts {
  readonly title: string;
  readonly description: string;
  /** What kind of page it is, beside the brand. */
  readonly kind: string;
  readonly main: Html;
  /** Data blocks, after everything that is read. */
  readonly data?: Html;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing is fetched; pictures are in the page; of scripts and styles only these two, known by their hashes, run. */
const POLICY = [
  "default-src 'none'",
  'img-src data:',
  `style-src ${hashOf(STYLE)}`,
  `script-src ${hashOf(SCRIPT)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** A gibbon of sixteen pixels, one of them perturbed. */
const MARK = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><rect width="16" height="16" rx="3.5" fill="#1c1e22"/><path d="M3,3h3v3h-3zM10,3h3v3h-3zM3,10h3v3h-3zM6.5,6.5h3v3h-3z" fill="#f4f1ea"/><path d="M10,10h3v3h-3z" fill="#ff7a29"/></svg>`;

/** A whole HTML document. */
export function renderDocument({ title, description, kind, main, data }: PageParts): string {
  const icon = `data:image/svg+xml,${encodeURIComponent(MARK.toString())}`;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="Gibbon">
<meta name="description" content="${description}">
<title>${title}</title>
<link rel="icon" href="${icon}">
<style>${raw(STYLE)}</style>
</head>
<body>
<header class="masthead"><p class="brand">${MARK} <b>Gibbon</b> ${kind}</p><button type="button" id="theme" hidden>Theme: auto</button></header>
<main>
${main}
</main>
${data}
<script>${raw(SCRIPT)}</script>
</body>
</html>
`.toString();
}
