/** What an identity provider sends unasked (SAML Profiles §4.1.5): the login begins with one click, where the connection allows it. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { goodResponse } from './forge.ts';
import { base64, startTarget, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
  await target.goodLogin();
});
afterAll(() => target.gateway.close());

const set = (change: object) => made(target.gateway.api('PUT', target.path, change));

describe('SAML-ATK-53: what is sent unasked', () => {
  const unasked = async (relayState?: string) => {
    const begun = await target.begin();
    const xml = goodResponse({ ...begun, requestId: '' }, { responseInResponseTo: '' });
    return await new Browser().send(
      begun.acsUrl,
      { SAMLResponse: base64(xml), ...(relayState === undefined ? {} : { RelayState: relayState }) },
      true,
    );
  };

  it('is refused, and signs nobody in where the connection allows it either: the login begins with one click', async () => {
    await target.expectRefused(await unasked(), 'unsolicited');
    await set({ allowIdpInitiated: true });
    for (const [state, kept] of [
      [undefined, undefined],
      ['/sso/session', '/sso/session'],
      ['https://evil.example/', undefined],
    ]) {
      const page = await unasked(state);
      expect([page.status, page.headers.getSetCookie().join()]).toEqual([
        200,
        expect.not.stringContaining('session'),
      ]);
      expect(page.text).toContain(`action="/sso/saml/${target.connection.id}/login"`);
      expect(/name="return" value="([^"]*)"/.exec(page.text)?.[1]).toBe(kept);
      expect(page.text).not.toContain('evil');
    }
    await target.goodLogin();
    await set({ allowIdpInitiated: false });
  });
});
