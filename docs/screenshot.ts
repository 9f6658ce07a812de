/**
 * The README's picture: runs the main job on few images, opens its report in Chromium and saves the top of the page.
 *
 *     npx tsx docs/screenshot.ts
 *
 * Chromium is the one of the PATH, or of $GIBBON_CHROMIUM.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { main } from '../src/cli/main.ts';
import { UserError } from '../src/core/errors.ts';
import { writeAtomically } from '../src/core/files.ts';
import { Browser, chromiumPath } from '../test/report/browser.ts';

const JOB = 'experiment --attack fgsm,pgd --arch vgg16 --images 200';
const PICTURE = fileURLToPath(new URL('./report.png', import.meta.url));
const WIDTH = 1120;
const MARGIN = 10;

/** Where the charts of accuracy against the radius end, in pixels from the page's top. */
const BOTTOM = "document.querySelector('.accuracy .panels').getBoundingClientRect().bottom + scrollY";

async function photograph(report: string): Promise<Buffer> {
  if (chromiumPath === undefined) throw new UserError('no Chromium: install one, or set GIBBON_CHROMIUM to its path');
  const browser = Browser.start(chromiumPath);
  try {
    return await browser.visit(pathToFileURL(report).href, { width: WIDTH }, async (page) => {
      const height = MARGIN + Math.ceil(Number(await page.evaluate(BOTTOM)));
      const picture = sharp(await page.screenshot()).extract({ left: 0, top: 0, width: WIDTH, height });
      return picture.removeAlpha().png({ compressionLevel: 9, effort: 10 }).toBuffer();
    });
  } finally {
    await browser.close();
  }
}

const folder = await mkdtemp(join(tmpdir(), 'gibbon-screenshot-'));
try {
  const code = await main([...JOB.split(' '), '--out', folder]);
  if (code === 0) {
    const picture = await photograph(join(folder, 'report.html'));
    await writeAtomically(PICTURE, (file) => file.writeFile(picture));
  }
  process.exitCode = code;
} finally {
  await rm(folder, { recursive: true });
}
