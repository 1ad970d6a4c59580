/** The demo as a process: it ends as its recordings tell, and says how it is used. */

import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { Browser, formOf, type Page } from '../sso/browser.ts';
import { dataFolder, endLeftovers, hasEmbeddedPostgres, runProcess, startProcess } from './support.ts';

afterEach(endLeftovers);

const script = join('demo', 'main.ts');

/** Chooses the connection, then oneself at the identity provider. */
async function signIn(loginUrl: string, connection: string, person: string): Promise<Page> {
  const browser = new Browser();
  const chooser = await browser.send(loginUrl);
  const path = linkIn(chooser, connection);
  const asked = await browser.follow(new URL(path, loginUrl).href);
  const [, id = ''] = new RegExp(`value="([^"]+)">${person}<`).exec(asked.text) ?? [];
  const answer = formOf(await browser.send(`${asked.url}&person=${id}`));
  const arrived = await browser.send(answer.action, answer.fields, true);
  const next = arrived.headers.get('location');
  return next === null ? arrived : await browser.follow(new URL(next, loginUrl).href);
}

function linkIn({ text }: Page, name: string): string {
  const found = [...text.matchAll(/<a href="([^"]+)">([^<]+)</g)].find(([, , shown]) => shown === name);
  return (found?.[1] ?? '').replaceAll('&#38;', '&');
}

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

  it('stays up, and lets its people sign in where it says', { timeout: 120_000 }, async () => {
    const data = dataFolder();
    onTestFinished(data.remove);
    const demo = await startProcess({ script, env: { DATA_DIR: data.path } });
    await expect.poll(() => demo.output().stdout, { timeout: 90_000 }).toContain('operator key');
    const [loginUrl = ''] = /http\S+sso\/login\?tenant=demo/.exec(demo.output().stdout) ?? [];

    const ada = await signIn(loginUrl, 'Okta (demo)', 'Ada Osei');
    expect(ada.text).toContain('You have access as: project administrator.');
    const [, intoBlue = ''] = /href="([^"]+)">Open Engineering in Blue</.exec(ada.text) ?? [];
    expect(new URL(intoBlue).pathname).toBe('/org/northwind/workspace/engineering');
    expect(await (await fetch(intoBlue)).text()).toContain('This stands in for Blue');
    const kira = await signIn(loginUrl, 'Entra (demo)', 'Kira Blom');
    expect(kira.text).toContain('You are waiting for a seat: number 2 in the queue.');
    const emeka = await signIn(loginUrl, 'Okta (demo)', 'Emeka Obi');
    expect([emeka.status, emeka.text]).toEqual([
      403,
      expect.stringContaining('Your account is switched off'),
    ]);

    demo.kill('SIGTERM');
    expect([await demo.exited, demo.output().stderr]).toEqual([0, '']);
  });
});

it('says how it is used', async () => {
  const { code, stdout } = await runProcess({ script, args: ['--help'] });
  expect([code, stdout]).toEqual([0, expect.stringContaining('--once')]);
  const mistaken = await runProcess({ script, args: ['--twice'] });
  expect([mistaken.code, mistaken.stderr]).toEqual([2, expect.stringContaining('unknown: --twice')]);
});
