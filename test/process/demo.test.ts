/** The demo as a process: it ends as its recordings tell, and says how it is used. */

import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { dataFolder, endLeftovers, hasEmbeddedPostgres, runProcess } from './support.ts';

afterEach(endLeftovers);

const script = join('demo', 'main.ts');

describe.skipIf(!hasEmbeddedPostgres)('the demo', () => {
  it('once: all is as the recordings tell', { timeout: 120_000 }, async () => {
    const data = dataFolder();
    onTestFinished(data.remove);
    const { code, stdout, stderr } = await runProcess({
      script,
      args: ['--once'],
      env: { DATA_DIR: data.path },
    });
    expect(stdout).not.toContain('not as told');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Kira Blom');
  });
});

it('says how it is used', async () => {
  const { code, stdout } = await runProcess({ script, args: ['--help'] });
  expect([code, stdout]).toEqual([0, expect.stringContaining('--once')]);
  const mistaken = await runProcess({ script, args: ['--twice'] });
  expect([mistaken.code, mistaken.stderr]).toEqual([2, expect.stringContaining('unknown: --twice')]);
});
