/**
 * A tenant with an application that knows nothing but OpenID Connect (openid-client), a receiver of its back-channel logouts, and
 * an identity provider that answers SAML by hand (forge.ts).
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as openid from 'openid-client';
import { expect } from 'vitest';
import { made, type TestGateway } from '../support/gateway.ts';
import { Browser, formOf, type Page } from './browser.ts';
import { askedIn, attribute, goodResponse, idpEntityId, newKeys, type Parts, type Scene } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { base64 } from './target.ts';

export const scope = 'openid profile email groups blue';

/** What an application knows of one login that it began. */
export interface Pending {
  url: URL;
  verifier: string;
  state: string;
  nonce: string;
}

export interface Application {
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  config: openid.Configuration;
  begin(params?: Record<string, string>): Promise<Pending>;
  exchange(callback: string, pending: Pending): ReturnType<typeof openid.authorizationCodeGrant>;
}

export interface Receiver {
  url: string;
  /** The bodies of what was posted. */
  received: string[];
  /** What it answers from now on. */
  answers(status: number): void;
  close(): Promise<unknown>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: string[] = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push(Buffer.concat(chunks).toString());
    response.writeHead(status).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/logout`,
    received,
    answers: (next) => {
      status = next;
    },
    close: () => new Promise((done) => server.close(done)),
  };
}

export class OpScene {
  readonly gateway: TestGateway;
  readonly slug: string;
  readonly directoryToken: string;
  readonly keys: Scene['keys'];
  readonly connection: { id: string; acsUrl: string; entityId: string };

  constructor(of: Pick<OpScene, 'gateway' | 'slug' | 'directoryToken' | 'keys' | 'connection'>) {
    this.gateway = of.gateway;
    this.slug = of.slug;
    this.directoryToken = of.directoryToken;
    this.keys = of.keys;
    this.connection = of.connection;
  }

  api(method: string, path: string, body?: unknown) {
    return this.gateway.api(method, `/tenants/${this.slug}${path}`, body);
  }

  /** Pushed by SCIM, with the role that everybody of the tenant has. */
  async person(userName: string): Promise<string> {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const body = { schemas, userName, externalId: userName.split('@')[0], displayName: `Person ${userName}` };
    return (await made(this.gateway.scim(this.directoryToken, 'POST', '/Users', body))).id;
  }

  async connect(): Promise<OpScene['connection']> {
    const { items } = await made(this.api('GET', '/directories'));
    return await made(this.api('POST', '/connections', connectionBody(this.keys, items[0].id)));
  }

  async application(change: object = {}): Promise<Application> {
    const redirectUri = 'https://app.example.com/callback';
    const body = { name: 'Blue', redirectUris: [redirectUri], ...change };
    const { clientId, clientSecret } = await made(this.api('POST', '/clients', body));
    return await applicationOf(this.gateway.url, { clientId, clientSecret, redirectUri });
  }

  /** As far as a browser comes without its person: an application, or a page of somebody. */
  async open(browser: Browser, url: string): Promise<Page> {
    let page = await browser.send(url);
    for (let hop = 0; hop < 12 && page.status === 303; hop += 1) {
      const next = new URL(page.headers.get('location') ?? '', page.url);
      if (next.origin !== new URL(this.gateway.url).origin) return { ...page, url: next.href };
      page = await browser.send(next.href);
    }
    return page;
  }

  /** As `open`, and where the browser comes to the identity provider, the person shows who they are. */
  async login(browser: Browser, url: string, subject = 'ada', parts: Partial<Parts> = {}): Promise<string> {
    const page = await this.open(browser, url);
    if (!page.url.includes('SAMLRequest=')) return page.url;
    return (await this.open(browser, await this.answer(browser, page.url, subject, parts))).url;
  }

  /** As `open`, of a browser that is signed in at another tenant, and is to be signed out there. */
  async openInstead(browser: Browser, url: string): Promise<Page> {
    const { action, fields } = formOf(await this.open(browser, url));
    const page = await browser.send(new URL(action, this.gateway.url).href, fields);
    return await this.open(browser, new URL(page.headers.get('location') ?? '', page.url).href);
  }

  /** Answers where the browser is sent with the identity provider's answer. */
  async answer(
    browser: Browser,
    asked: string,
    subject: string,
    parts: Partial<Parts> = {},
  ): Promise<string> {
    const page = await this.post(browser, asked, subject, parts);
    expect(page.status, page.text).toBe(303);
    return new URL(page.headers.get('location') ?? '', page.url).href;
  }

  private post(browser: Browser, asked: string, subject: string, parts: Partial<Parts>): Promise<Page> {
    const { acsUrl, entityId } = this.connection;
    const { requestId, relayState } = askedIn(asked);
    const scene = { keys: this.keys, strangers: this.keys, acsUrl, audience: entityId, requestId };
    const attributes = attribute('externalId', subject) + attribute('userName', `${subject}@example.com`);
    const form = {
      SAMLResponse: base64(goodResponse(scene, { subject, attributes, ...parts })),
      RelayState: relayState,
    };
    return browser.send(acsUrl, form, true);
  }

  /** Whether an answer that is not what was asked for is refused, here or at the application. */
  async refusedStepUp(browser: Browser, asked: string, parts: Partial<Parts>): Promise<boolean> {
    const page = await this.post(browser, asked, 'ada', parts);
    if (page.status !== 303) return page.status === 403;
    const { url } = await this.open(browser, new URL(page.headers.get('location') ?? '', page.url).href);
    return new URL(url).searchParams.get('error') === 'login_required';
  }

  async refused(browser: Browser, asked: string, subject: string): Promise<boolean> {
    return (await this.post(browser, asked, subject, {})).status === 403;
  }

  /** A whole login at an application. */
  async signIn(
    app: Application,
    browser = new Browser(),
    subject = 'ada',
    params: Record<string, string> = {},
  ) {
    const pending = await app.begin(params);
    const callback = await this.login(browser, pending.url.href, subject);
    return { browser, tokens: await app.exchange(callback, pending) };
  }
}

/** That the person showed who they are, when and how. */
export function shown(ms = 0, context = 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password'): Partial<Parts> {
  const at = new Date(Date.now() + ms).toISOString();
  return {
    authnStatement: `<saml:AuthnStatement AuthnInstant="${at}" SessionIndex="s"><saml:AuthnContext><saml:AuthnContextClassRef>${context}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
  };
}

function connectionBody(keys: Scene['keys'], directoryId: string): object {
  return {
    ...{ protocol: 'saml', name: 'IdP', directoryId },
    metadataXml: metadataOf(idpEntityId, 'http://localhost:1/sso', keys.certificate),
    jit: { create: false, attributes: { externalId: 'externalId', userName: 'userName' } },
  };
}

/** A tenant of its own, in which everybody has a role that costs no seat. */
export async function startScene(gateway: TestGateway): Promise<OpScene> {
  const tenant = await gateway.createTenant();
  const [directoryToken, keys] = [await tenant.directoryToken('okta'), await newKeys()];
  const path = `/tenants/${tenant.slug}`;
  await made(gateway.api('PUT', `${path}/settings`, { defaultRole: 'view_only' }));
  const { items } = await made(gateway.api('GET', `${path}/directories`));
  const body = connectionBody(keys, items[0].id);
  const connection = await made(gateway.api('POST', `${path}/connections`, body));
  const scene = new OpScene({ gateway, slug: tenant.slug, directoryToken, keys, connection });
  await scene.person('ada@example.com');
  return scene;
}

export async function applicationOf(
  gatewayUrl: string,
  { clientId, clientSecret, redirectUri }: Pick<Application, 'clientId' | 'clientSecret' | 'redirectUri'>,
): Promise<Application> {
  const config = await openid.discovery(new URL(`${gatewayUrl}/oidc`), clientId, clientSecret, undefined, {
    execute: [openid.allowInsecureRequests],
  });
  openid.enableNonRepudiationChecks(config);
  return {
    ...{ clientId, clientSecret, redirectUri, config },
    begin: async (params = {}) => {
      const [verifier, state, nonce] = [
        openid.randomPKCECodeVerifier(),
        openid.randomState(),
        openid.randomNonce(),
      ];
      const url = openid.buildAuthorizationUrl(config, {
        ...{ redirect_uri: redirectUri, scope, state, nonce, code_challenge_method: 'S256' },
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        ...params,
      });
      return { url, verifier, state, nonce };
    },
    exchange: (callback, { verifier, state, nonce }) =>
      openid.authorizationCodeGrant(config, new URL(callback), {
        ...{ pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
      }),
  };
}
