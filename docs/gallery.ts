/**
 * The sample report and its pictures: measures the six architectures, opens the report in Chromium and photographs it.
 *
 *     npx tsx docs/gallery.ts           # measures first, some ten minutes on two cores
 *     npx tsx docs/gallery.ts RUN       # photographs the report in the folder RUN
 *
 * Chromium is the one of the PATH, or of $GIBBON_CHROMIUM.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { main } from '../src/cli/main.ts';
import { UserError } from '../src/core/errors.ts';
import { writeAtomically } from '../src/core/files.ts';
import { Browser, chromiumPath, type View } from '../test/report/browser.ts';

const FOLDER = fileURLToPath(new URL('./gallery/', import.meta.url));
/** As the report's command says it. */
const OUT = 'reports/six-architectures';
const MARGIN = 16;

interface Shot {
  readonly name: string;
  readonly view: View;
  /** Selectors of the first and the last element in the picture; the page's own top and bottom if there is none. */
  readonly from?: string;
  readonly to?: string;
}

const WIDE: View = { width: 1120 };
const section = (id: string): Pick<Shot, 'from' | 'to'> => ({ from: `#${id}`, to: `#${id}` });

const SHOTS: readonly Shot[] = [
  { name: 'report', view: WIDE, to: '#headline table' },
  { name: 'accuracy-dark', view: { ...WIDE, dark: true }, ...section('accuracy') },
  { name: 'pictures', view: WIDE, from: '#gallery', to: '#gallery .example:nth-of-type(4)' },
  { name: 'course', view: WIDE, ...section('course') },
  { name: 'checks', view: WIDE, ...section('checks') },
  { name: 'phone', view: { width: 390 }, to: '#headline table' },
];

/** The vertical extent of a shot in pixels of the page. */
const extent = ({ from, to }: Shot): string => `(() => {
  const edge = (selector, side, none) => {
    if (selector === '') return none;
    const element = document.querySelector(selector);
    return element === null ? null : element.getBoundingClientRect()[side] + scrollY;
  };
  return [edge(${JSON.stringify(from ?? '')}, 'top', 0), edge(${JSON.stringify(to ?? '')}, 'bottom', document.body.scrollHeight)];
})()`;

async function photograph(browser: Browser, report: string, shot: Shot): Promise<void> {
  await browser.visit(pathToFileURL(report).href, shot.view, async (page) => {
    const [from, to] = (await page.evaluate(extent(shot))) as (number | null)[];
    if (typeof from !== 'number' || typeof to !== 'number')
      throw new UserError(`${report} has nothing for ${shot.name}`);
    const whole = sharp(await page.screenshot());
    const { width, height } = await whole.metadata();
    const top = Math.max(0, Math.floor(from) - MARGIN);
    const bottom = Math.min(height, Math.ceil(to) + MARGIN);
    const picture = await whole
      .extract({ left: 0, top, width, height: bottom - top })
      .removeAlpha()
      .png({ compressionLevel: 9, effort: 10, palette: true, colours: 256 })
      .toBuffer();
    await writeAtomically(join(FOLDER, `${shot.name}.png`), (file) => file.writeFile(picture));
  });
}

async function photographAll(report: string): Promise<void> {
  if (chromiumPath === undefined) throw new UserError('no Chromium: install one, or set GIBBON_CHROMIUM to its path');
  const browser = Browser.start(chromiumPath);
  try {
    for (const shot of SHOTS) await photograph(browser, report, shot);
  } finally {
    await browser.close();
  }
}

/** The folder of the run: the one that is named, or one that is measured now. */
async function runFolder(named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const code = await main(['experiment', '--out', OUT]);
  if (code !== 0) process.exit(code);
  return OUT;
}

const folder = await runFolder(process.argv[2]);
await mkdir(FOLDER, { recursive: true });
const report = join(folder, 'report.html');
await photographAll(report);
await copyFile(report, join(FOLDER, 'report.html'));
