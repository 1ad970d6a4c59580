/** A gateway that is attacked: a tenant's connection, a stranger's, and what every attack must come to. */

import { expect } from 'vitest';
import {
  made,
  startGateway,
  type TestGateway,
  type TestGatewayOptions,
  type TestTenant,
} from '../support/gateway.ts';
import { Browser, type Page, refusalIn } from './browser.ts';
import { askedIn, goodResponse, idpEntityId, newKeys, type Scene } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { verifyAgain } from './witness.ts';

export interface Connected {
  id: string;
  acsUrl: string;
  entityId: string;
}

export interface Begun extends Scene {
  browser: Browser;
  relayState: string;
}

export const jit = { create: true, attributes: { userName: 'userName' } };
export const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');

export async function startTarget(options: TestGatewayOptions = {}): Promise<Target> {
  const gateway = await startGateway(options);
  const [tenant, elsewhere] = [await gateway.createTenant(), await gateway.createTenant()];
  const [keys, strangers] = await Promise.all([newKeys(), newKeys()]);
  const metadataXml = metadataOf(idpEntityId, 'http://localhost:1/sso', keys.certificate);
  const body = { protocol: 'saml', name: 'x', metadataXml, jit };
  const connect = (slug: string) => made(gateway.api('POST', `/tenants/${slug}/connections`, body));
  return new Target({
    ...{ gateway, tenant, elsewhere, keys, strangers, metadataXml },
    connection: await connect(tenant.slug),
    other: await connect(elsewhere.slug),
  });
}

export class Target {
  readonly gateway: TestGateway;
  readonly tenant: TestTenant;
  readonly elsewhere: TestTenant;
  readonly keys: Scene['keys'];
  readonly strangers: Scene['keys'];
  readonly metadataXml: string;
  readonly connection: Connected;
  /** Of another tenant. */
  readonly other: Connected;
  /** The error page without its reference: the same for every attack. */
  #uniform: string | undefined;

  constructor(
    of: Pick<
      Target,
      'gateway' | 'tenant' | 'elsewhere' | 'keys' | 'strangers' | 'metadataXml' | 'connection' | 'other'
    >,
  ) {
    this.gateway = of.gateway;
    this.tenant = of.tenant;
    this.elsewhere = of.elsewhere;
    this.keys = of.keys;
    this.strangers = of.strangers;
    this.metadataXml = of.metadataXml;
    this.connection = of.connection;
    this.other = of.other;
  }

  get path(): string {
    return `/tenants/${this.tenant.slug}/connections/${this.connection.id}`;
  }

  async begin(at = this.connection): Promise<Begun> {
    const browser = new Browser();
    const page = await browser.send(at.acsUrl.replace(/acs$/, 'login'));
    const asked = askedIn(page.headers.get('location') ?? '');
    const { keys, strangers } = this;
    return { browser, keys, strangers, acsUrl: at.acsUrl, audience: at.entityId, ...asked };
  }

  async newest() {
    const { items } = await made(this.gateway.api('GET', `/tenants/${this.tenant.slug}/logins?limit=1`));
    return items[0];
  }

  async goodLogin(): Promise<void> {
    const begun = await this.begin();
    const page = await post(begun, goodResponse(begun));
    expect([page.status, page.headers.get('location')]).toEqual([303, '/sso']);
    expect(await this.newest()).toMatchObject({
      outcome: 'signed_in',
      subject: expect.stringContaining('"ada"'),
    });
  }

  /** And a good login works right after it. */
  async expectRefused(page: Page, reasons: string): Promise<void> {
    expect(page.status).toBe(403);
    const { reference, uniform } = refusalIn(page);
    this.#uniform ??= uniform;
    expect(uniform).toBe(this.#uniform);
    expect(page.headers.getSetCookie().filter((line) => line.includes('bgw_session='))).toEqual([]);
    const trace = await this.newest();
    expect(trace).toMatchObject({ id: reference, outcome: 'refused' });
    expect(reasons.split('|')).toContain(trace.reason);
    await this.goodLogin();
  }
}

export async function post(
  { browser, acsUrl, relayState, keys }: Begun,
  xml: string | Buffer,
): Promise<Page> {
  const page = await browser.send(acsUrl, { SAMLResponse: base64(xml), RelayState: relayState }, true);
  if (page.status === 303) await verifyAgain(xml, keys.certificate);
  return page;
}
