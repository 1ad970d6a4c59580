/** A tenant whose people sign in by OpenID Connect, and what every attack must come to. */

import { expect } from 'vitest';
import {
  made,
  startGateway,
  type TestGateway,
  type TestGatewayOptions,
  type TestTenant,
} from '../../support/gateway.ts';
import { Browser, type Page, refusalIn } from '../browser.ts';
import { type Asked, HostileProvider } from './hostile-provider.ts';

export interface Login {
  browser: Browser;
  asked: Asked;
}

export class OidcScene {
  readonly gateway: TestGateway;
  readonly tenant: TestTenant;
  readonly provider: HostileProvider;
  // biome-ignore lint/suspicious/noExplicitAny: as the admin API answers it.
  connection: any;
  #uniform: string | undefined;

  readonly #isGuest: boolean;

  private constructor(of: Pick<OidcScene, 'gateway' | 'tenant' | 'provider'>, isGuest: boolean) {
    this.gateway = of.gateway;
    this.tenant = of.tenant;
    this.provider = of.provider;
    this.#isGuest = isGuest;
  }

  static async start(options: TestGatewayOptions = {}): Promise<OidcScene> {
    return await OidcScene.#at(await startGateway(options), false);
  }

  /** Another tenant with another provider at the same gateway, which stays when the scene is stopped. */
  beside(): Promise<OidcScene> {
    return OidcScene.#at(this.gateway, true);
  }

  static async #at(gateway: TestGateway, isGuest: boolean): Promise<OidcScene> {
    const [tenant, provider] = [await gateway.createTenant(), await HostileProvider.start()];
    const scene = new OidcScene({ gateway, tenant, provider }, isGuest);
    scene.connection = await scene.connect();
    return scene;
  }

  async stop(): Promise<void> {
    if (!this.#isGuest) await this.gateway.close();
    await this.provider.stop();
  }

  connect(change: object = {}) {
    const jit = { create: true };
    const body = {
      ...{ protocol: 'oidc', name: 'Provider', issuer: this.provider.issuer },
      ...{ clientId: 'gateway', clientSecret: 'secret', jit, ...change },
    };
    return made(this.gateway.api('POST', `/tenants/${this.tenant.slug}/connections`, body));
  }

  set(change: object) {
    return made(
      this.gateway.api('PUT', `/tenants/${this.tenant.slug}/connections/${this.connection.id}`, change),
    );
  }

  async begin(connection = this.connection, browser = new Browser()): Promise<Login> {
    const page = await browser.send(connection.loginUrl);
    expect(page.status).toBe(303);
    return { browser, asked: this.provider.ask(page.headers.get('location') ?? '') };
  }

  /** The browser comes back. */
  comeBack({ browser, asked }: Login, query: Record<string, string> | string = {}): Promise<Page> {
    const all =
      typeof query === 'string' ? query : new URLSearchParams({ code: 'c', state: asked.state, ...query });
    return browser.send(`${asked.redirectUri}?${all}`);
  }

  async newest() {
    const { items } = await made(this.gateway.api('GET', `/tenants/${this.tenant.slug}/logins?limit=1`));
    return items[0];
  }

  async goodLogin(): Promise<Login> {
    this.provider.said = {};
    this.provider.userinfo = undefined;
    this.provider.instead.clear();
    const login = await this.begin();
    const page = await this.comeBack(login);
    expect([page.status, page.headers.get('location')]).toEqual([303, '/sso']);
    return login;
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
