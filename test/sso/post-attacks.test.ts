/** Attacks by who posts a good response, when and where; and what a good login is in spite of what was there before. */

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { attribute, goodResponse, idpEntityId } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { base64, jit, post, startTarget, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target.gateway.close());

describe('a post is refused:', () => {
  it('SAML-ATK-23: the same response again', async () => {
    const begun = await target.begin();
    const xml = goodResponse(begun);
    const cookies = new Map(begun.browser.cookiesOf(begun.acsUrl));
    expect((await post(begun, xml)).status).toBe(303);
    for (const [name, value] of cookies) begun.browser.cookiesOf(begun.acsUrl).set(name, value);
    await target.expectRefused(await post(begun, xml), 'request');
  });

  it('SAML-ATK-23: of two at the same time one', async () => {
    const begun = await target.begin();
    const xml = goodResponse(begun);
    const pages = await Promise.all([post(begun, xml), post(begun, xml)]);
    expect(pages.map(({ status }) => status).sort()).toEqual([303, 403]);
  });

  it('SAML-ATK-23: an assertion that was used, as the answer to another request', async () => {
    const [first, second] = [await target.begin(), await target.begin()];
    const once = { id: `_once${randomBytes(8).toString('hex')}` };
    expect((await post(first, goodResponse(first, once))).status).toBe(303);
    await target.expectRefused(await post(second, goodResponse(second, once)), 'replayed');
  });

  it.each(['SAML-ATK-26', 'SAML-ATK-58'])('%s: a request of another tenant', async () => {
    const [begun, foreign] = [await target.begin(), await target.begin(target.other)];
    const cookies = foreign.browser.cookiesOf(foreign.acsUrl);
    for (const [name, value] of cookies) begun.browser.cookiesOf(begun.acsUrl).set(name, value);
    const mixed = { ...begun, relayState: foreign.relayState, requestId: foreign.requestId };
    await target.expectRefused(await post(mixed, goodResponse(mixed)), 'request');
  });

  it('SAML-ATK-29: a RelayState of another connection chooses nothing', async () => {
    const foreign = await target.begin(target.other);
    const mixed = { ...foreign, acsUrl: target.connection.acsUrl };
    await target.expectRefused(await post(mixed, goodResponse(mixed)), 'request');
  });

  it('SAML-ATK-24: in a browser that did not begin', async () => {
    const begun = await target.begin();
    const page = await post({ ...begun, browser: new Browser() }, goodResponse(begun));
    await target.expectRefused(page, 'request');
  });

  it('SAML-ATK-47: a field twice', async () => {
    const begun = await target.begin();
    const field = `SAMLResponse=${encodeURIComponent(base64(goodResponse(begun)))}`;
    const state = `RelayState=${begun.relayState}`;
    await target.expectRefused(
      await begun.browser.send(begun.acsUrl, `${field}&${field}&${state}`, true),
      'form',
    );
    const again = await target.begin();
    const twice = `SAMLResponse=${encodeURIComponent(base64(goodResponse(again)))}&${state}&${state}`;
    await target.expectRefused(await again.browser.send(again.acsUrl, twice, true), 'unsolicited');
  });

  it.each(['javascript:alert(1)', '//evil.example', 'https://evil.example/', 'x'.repeat(81)])(
    'SAML-ATK-52: RelayState %s leads nowhere',
    async (relayState) => {
      const begun = await target.begin();
      const page = await post({ ...begun, relayState }, goodResponse(begun));
      await target.expectRefused(page, 'request|unsolicited');
    },
  );

  it('SAML-ATK-53: one that nobody asked for', async () => {
    const begun = await target.begin();
    const fields = { SAMLResponse: base64(goodResponse(begun)) };
    await target.expectRefused(await begun.browser.send(begun.acsUrl, fields, true), 'unsolicited');
  });

  it('SAML-ATK-57: what is no base64', async () => {
    const begun = await target.begin();
    const fields = { SAMLResponse: '%%%', RelayState: begun.relayState };
    await target.expectRefused(await begun.browser.send(begun.acsUrl, fields, true), 'encoding');
  });

  it('SAML-ATK-58: the connection is switched off meanwhile', async () => {
    const begun = await target.begin();
    await made(target.gateway.api('PUT', target.path, { enabled: false }));
    const page = await post(begun, goodResponse(begun));
    await made(target.gateway.api('PUT', target.path, { enabled: true }));
    await target.expectRefused(page, 'disabled');
  });

  it('SAML-ATK-51: 3 MiB, before anything is read', async () => {
    const begun = await target.begin();
    const page = await post(begun, '<a/>'.repeat(600_000));
    expect(page.status).toBe(413);
    await target.goodLogin();
  });
});

describe('a good login', () => {
  it('SAML-ATK-54: has a session of its own, whatever cookie was there before', async () => {
    const begun = await target.begin();
    begun.browser.cookiesOf(begun.acsUrl).set('bgw_session', `${target.tenant.tenantId}.bgw_ses_known`);
    await post(begun, goodResponse(begun));
    expect(begun.browser.cookiesOf(begun.acsUrl).get('bgw_session')).not.toContain('bgw_ses_known');
  });

  it('has a NameID that is told apart by case', async () => {
    const begun = await target.begin();
    await post(begun, goodResponse(begun, { subject: 'ADA', attributes: attribute('userName', 'other') }));
    const { user } = await target.newest();
    await target.goodLogin();
    expect((await target.newest()).user).not.toBe(user);
  });

  it('is made with the next certificate, too', async () => {
    const both = metadataOf(
      idpEntityId,
      'http://localhost:1/sso',
      target.strangers.certificate,
      target.keys.certificate,
    );
    await made(target.gateway.api('PUT', target.path, { name: 'x', metadataXml: both, jit }));
    const begun = { ...(await target.begin()), keys: target.strangers };
    expect((await post(begun, goodResponse(begun))).status).toBe(303);
    await target.goodLogin();
  });
});
