/** An OpenID provider of its own making, that can say anything: a real server with keys, whose every answer a test may change. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { newKey, type TestKey } from '../../oauth/issuer.ts';

type Claims = Record<string, unknown>;
export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface Asked {
  state: string;
  nonce: string;
  redirectUri: string;
  challenge: string;
  query: URLSearchParams;
}

/** What it signs an ID token of; a claim that is undefined is left out. */
export interface Said {
  claims?: Claims;
  header?: Record<string, unknown>;
  /** Instead of signing. */
  idToken?: string | ((claims: Claims) => string | Promise<string>);
  key?: TestKey;
}

export class HostileProvider {
  readonly issuer: string;
  key: TestKey;
  keys: TestKey['jwk'][];
  discovery: Record<string, unknown>;
  /** Answers in place of the provider, by path. */
  readonly instead = new Map<string, Handler>();
  readonly asked: { path: string; body: string; authorization: string | undefined }[] = [];
  /** What the next code is exchanged for. */
  said: Said = {};
  userinfo: Claims | undefined;
  readonly #server;
  #nonce = '';

  private constructor(server: ReturnType<typeof createServer>, key: TestKey) {
    this.#server = server;
    this.issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
    this.key = key;
    this.keys = [key.jwk];
    this.discovery = {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      userinfo_endpoint: `${this.issuer}/userinfo`,
      jwks_uri: `${this.issuer}/jwks`,
      end_session_endpoint: `${this.issuer}/logout`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    };
    server.on('request', (request, response) => this.#answer(request, response));
  }

  static async start(): Promise<HostileProvider> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, 'localhost', done));
    return new HostileProvider(server, await newKey('k1'));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** What the gateway asked for when it sent the browser here. */
  ask(location: string): Asked {
    const { searchParams: query } = new URL(location);
    this.#nonce = query.get('nonce') ?? '';
    return {
      ...{ state: query.get('state') ?? '', nonce: this.#nonce, query },
      redirectUri: query.get('redirect_uri') ?? '',
      challenge: query.get('code_challenge') ?? '',
    };
  }

  async idToken({ claims = {}, header = {}, idToken, key = this.key }: Said = this.said): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const all = {
      ...{ iss: this.issuer, aud: 'gateway', sub: 'ada', nonce: this.#nonce, iat: now, exp: now + 300 },
      ...{ email: 'ada@example.com', email_verified: true, preferred_username: 'ada@example.com' },
      ...claims,
    };
    const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    if (typeof idToken === 'string') return idToken;
    if (idToken !== undefined) return await idToken(payload);
    const protectedHeader = { alg: key.alg, kid: key.kid, ...header };
    return await new SignJWT(payload).setProtectedHeader(protectedHeader).sign(key.privateKey);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    const path = (request.url ?? '').split('?')[0] ?? '';
    this.asked.push({ path, body, authorization: request.headers.authorization });
    const handler = this.instead.get(path);
    if (handler !== undefined) return handler(request, response, body);
    const answer = await this.#bodyOf(path);
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  }

  async #bodyOf(path: string): Promise<unknown> {
    switch (path) {
      case '/.well-known/openid-configuration':
        return this.discovery;
      case '/jwks':
        return { keys: this.keys };
      case '/token':
        return {
          ...{ access_token: 'at', token_type: 'Bearer', expires_in: 300 },
          id_token: await this.idToken(),
        };
      case '/userinfo':
        return this.userinfo ?? { sub: this.said.claims?.sub ?? 'ada' };
      default:
        return undefined;
    }
  }
}
