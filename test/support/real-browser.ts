/**
 * A real browser, without a window, from npm. undefined where it cannot run: `noBrowser` then says why, and its tests are skipped.
 * The binary is unpacked into a folder of its own, so that two test files at once do not find each other's half of it.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

export interface RealBrowser {
  browser: Browser;
  close(): Promise<void>;
}

export async function startRealBrowser(): Promise<RealBrowser | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return noBrowser(`${process.arch} has none`);
  const folder = mkdtempSync(join(tmpdir(), 'blue-gateway-browser-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    // Not the package's own flags: they switch off what keeps sites apart, which is what is tested.
    const args = ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'];
    const browser = await chromium.launch({ executablePath: await unpack(folder), args });
    return {
      browser,
      close: async () => {
        await browser.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    return noBrowser(String(error));
  }
}

/** The package unpacks into the folder for temporary files, and its libraries only where it takes itself to be on AWS. */
async function unpack(folder: string): Promise<string> {
  const before = process.env.TMPDIR;
  Object.assign(process.env, { TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x' });
  try {
    const { default: packed } = await import('@sparticuz/chromium');
    const executable = await packed.executablePath();
    writeFileSync(join(folder, 'fonts', 'fonts.conf'), fontsOf(folder));
    return executable;
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

/** The package looks for its fonts in one folder, wherever it has unpacked them; without one no text has a height. */
function fontsOf(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir></fontconfig>
`;
}

function noBrowser(why: string): undefined {
  process.stderr.write(`No browser here, so the tests that need one are skipped: ${why}\n`);
}
