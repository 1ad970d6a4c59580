/** From signing in on to Blue: an invitation to accept, then the workspace, or a choice of several, with a real browser and the stand-in for Blue. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoSeed, demoToken } from '../../demo/blue-double/seed.ts';
import { type BlueDouble, startBlueDouble } from '../../demo/blue-double/server.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { startRealBrowser } from '../support/real-browser.ts';
import { expectAccessible } from './accessible.ts';
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
  it('is led to the invitation, into the workspace once it is accepted, and chooses among several', async () => {
    const { slug } = await gateway.createTenant();
    const api = (method: string, path: string, body: object) =>
      made(gateway.api(method, `/tenants/${slug}${path}`, body));
    await api('PUT', '/contract', {
      ...{ kind: 'annual', tier: 'x', paidSeats: 5, startsOn: '2020-01-01', endsOn: '2999-01-01' },
      ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'none' },
    });
    const connection = {
      ...{ organizationId: demoSeed.organization.id, apiUrl: blue.url, mode: 'apply' },
      ...{ tokenId: demoToken.uid, tokenSecret: demoToken.secret },
      deactivation: 'leave_workspaces',
      drift: 'repair',
    };
    await api('PUT', '/blue', { ...connection, defaultWorkspaces: ['cws-engineering'] });
    await api('PUT', '/settings', { defaultRole: 'team_member' });
    const jit = { create: true, attributes: samlpAttributes };
    const body = { protocol: 'saml', name: 'IdP', metadataXml: idp.metadataXml, jit };
    ({ acsUrl } = await api('POST', '/connections', body));
    const page = await (await real?.browser.newContext({ locale: 'en-GB' }))?.newPage();
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
    const within = `${app}/org/northwind`;
    expect(await leadsTo(page, 'Open Engineering in Blue')).toBe(`${within}/workspace/engineering`);
    expect(await straightTo()).toBe(`${within}/workspace/engineering`);

    // With several there is a choice: by name, by keyboard, on a phone, and in Dutch.
    const workspaces = ['cws-marketing', 'cws-engineering', 'cws-company'];
    await api('PUT', '/blue', { ...connection, defaultWorkspaces: workspaces });
    await api('POST', '/blue/sync', { drift: true });
    expect(await straightTo()).toBe('/sso');
    const storageState = await page.context().storageState();
    const viewport = { width: 320, height: 640 };
    const phone = await (
      await real?.browser.newContext({ locale: 'nl-NL', storageState, viewport })
    )?.newPage();
    if (phone === undefined) throw new Error('no browser');
    await phone.goto(`${gateway.url}/sso/blue`);
    expect(await phone.getByRole('heading', { level: 2 }).textContent()).toBe('Je werkruimtes in Blue');
    const names = ['Company-wide', 'Engineering', 'Marketing'];
    expect(await phone.getByRole('listitem').allTextContents()).toEqual(names);
    expect(await leadsTo(phone, 'Blue openen')).toBe(within);
    await expectAccessible(phone);
    await phone.route(`${app}/**`, (route) => route.fulfill({ body: 'Blue' }));
    for (const _ of names.slice(0, 2)) await phone.keyboard.press('Tab');
    await phone.keyboard.press('Enter');
    await phone.waitForURL(`${within}/workspace/engineering`);
  });
});
