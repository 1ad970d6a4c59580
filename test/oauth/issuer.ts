/** A stranger's identity provider: a real server with a discovery document and keys, that can be made slow, huge or wrong. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface TestKey {
  kid: string;
  alg: string;
  privateKey: CryptoKey;
  jwk: JWK;
}

export async function newKey(kid: string, alg = 'RS256'): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  // As Entra does it: with a use and without an alg.
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' } };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export class TestIssuer {
  /** With a path, as Entra's are. */
  readonly url: string;
  keys: JWK[] = [];
  /** Paths that were asked for. */
  asked: string[] = [];
  /** Answers instead of the issuer itself. */
  instead: Handler | undefined;
  discovery: Record<string, unknown>;
  readonly #server;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.url = `${origin}/tenant/v2.0`;
    this.discovery = { issuer: this.url, jwks_uri: `${origin}/tenant/discovery/v2.0/keys` };
    server.on('request', (request, response) => this.#answer(request, response));
  }

  static async start(): Promise<TestIssuer> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new TestIssuer(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.asked.push(path);
    if (this.instead !== undefined) {
      this.instead(request, response);
      return;
    }
    const body =
      path === '/tenant/v2.0/.well-known/openid-configuration'
        ? this.discovery
        : path === '/tenant/discovery/v2.0/keys'
          ? { keys: this.keys }
          : undefined;
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }
}

export interface AssertionOptions {
  key: TestKey;
  claims: Record<string, unknown>;
  header?: Record<string, unknown>;
}

/** Good for five minutes, unless the claims say otherwise; a claim that is undefined is left out. */
export async function assertionOf({ key, claims, header }: AssertionOptions): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { iat: now, nbf: now, exp: now + 300, ...claims };
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return await new SignJWT(payload)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey);
}
