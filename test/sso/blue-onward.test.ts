/** From signing in on to Blue: an invitation to accept, then Blue itself, with a real browser and the stand-in for Blue. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoSeed, demoToken } from '../../demo/blue-double/seed.ts';
import { type BlueDouble, startBlueDouble } from '../../demo/blue-double/server.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { startRealBrowser } from '../support/real-browser.ts';
import { samlpAttributes, startIdentityProvider } from './identity-provider.ts';

const app = 'http://blue.test';
const real = await startRealBrowser();
let gateway: TestGateway;
let blue: BlueDouble;
let idp: Awaited<ReturnType<typeof startIdentityProvider>>;
let acsUrl = '';

beforeAll(async () => {
  gateway = await startGateway({ config: { blueAppUrl: app } });
  blue = await startBlueDouble({ seed: demoSeed });
  idp = await startIdentityProvider(() => acsUrl);
});
afterAll(async () => {
  await real?.close();
  await Promise.all([gateway.close(), blue.close(), idp.close()]);
});

/** Where the page leads to under that name. */
const leadsTo = (page: Page, name: string) => page.getByRole('link', { name }).getAttribute('href');

describe.skipIf(real === undefined)('somebody who signs in', () => {
  it('is led to the invitation, and to Blue once it is accepted', async () => {
    const { slug } = await gateway.createTenant();
    const api = (method: string, path: string, body: object) =>
      made(gateway.api(method, `/tenants/${slug}${path}`, body));
    await api('PUT', '/contract', {
      ...{ kind: 'annual', tier: 'x', paidSeats: 5, startsOn: '2020-01-01', endsOn: '2999-01-01' },
      ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'none' },
    });
    await api('PUT', '/blue', {
      ...{ organizationId: demoSeed.organization.id, apiUrl: blue.url, mode: 'apply' },
      ...{ tokenId: demoToken.uid, tokenSecret: demoToken.secret },
      deactivation: 'leave_workspaces',
      defaultWorkspaces: ['cws-engineering'],
      drift: 'repair',
    });
    await api('PUT', '/settings', { defaultRole: 'team_member' });
    const jit = { create: true, attributes: samlpAttributes };
    const body = { protocol: 'saml', name: 'IdP', metadataXml: idp.metadataXml, jit };
    ({ acsUrl } = await api('POST', '/connections', body));
    const page = await real?.browser.newPage({ locale: 'en-GB' });
    if (page === undefined) throw new Error('no browser');
    await page.goto(`${gateway.url}/sso/login?tenant=${slug}`);
    await page.waitForURL(`${gateway.url}/sso`);
    expect(await page.textContent('main')).toContain('You have access as: team member.');

    // Not yet: they stay where they are told so, and so does who is not signed in.
    await page.goto(`${gateway.url}/sso/blue`);
    expect(page.url()).toBe(`${gateway.url}/sso`);
    const nobody = await fetch(`${gateway.url}/sso/blue`, { redirect: 'manual' });
    expect(nobody.headers.get('location')).toBe('/sso');
    await api('POST', '/blue/sync', { drift: true });
    await api('POST', '/blue/sync', { drift: true });
    await page.reload();
    const straightTo = async () =>
      (await page.request.get(`${gateway.url}/sso/blue`, { maxRedirects: 0 })).headers().location;
    const [invitation] = blue.state.invitations();
    const accept = `${app}/accept-invitation?id=${invitation?.id}&email=ada%40example.com`;
    expect(await leadsTo(page, 'Accept the invitation')).toBe(accept);
    expect(await straightTo()).toBe(accept);

    blue.state.accept('ada@example.com');
    await api('POST', '/blue/sync', { drift: true });
    await page.reload();
    expect(await leadsTo(page, 'Open Blue')).toBe(`${app}/`);
    expect(await straightTo()).toBe(`${app}/`);
  });
});
