/** A receiver of signals: a real server that pushes come to, and a client of the transmitter. */

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import type { TestGateway } from '../support/gateway.ts';

export interface Push {
  authorization: string | undefined;
  type: string | undefined;
  token: string;
}

export class PushTarget {
  readonly url: string;
  readonly pushes: Push[] = [];
  /** What the next pushes are answered; after them 202. */
  readonly answers: number[] = [];
  /** Nothing is answered. */
  isSilent = false;
  readonly #server;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
    server.on('request', async (request: IncomingMessage, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { authorization, 'content-type': type } = request.headers;
      this.pushes.push({ authorization, type, token: Buffer.concat(chunks).toString('utf8') });
      if (!this.isSilent) response.writeHead(this.answers.shift() ?? 202).end();
    });
  }

  static async start(): Promise<PushTarget> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new PushTarget(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

export class Receiver {
  readonly #gateway: TestGateway;
  readonly #token: string;

  constructor(gateway: TestGateway, token: string) {
    this.#gateway = gateway;
    this.#token = token;
  }

  async send(method: string, path: string, body?: unknown) {
    const answer = await fetch(`${this.#gateway.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Checks the signature against the transmitter's published keys. */
  async read(token: string, audience: string): Promise<JWTPayload> {
    const { issuer, jwks_uri } = (await this.send('GET', '/.well-known/ssf-configuration')).body;
    const keys = createRemoteJWKSet(new URL(`${this.#gateway.url}${new URL(jwks_uri).pathname}`));
    if (decodeProtectedHeader(token).typ !== 'secevent+jwt') throw new Error('of another type');
    return (await jwtVerify(token, keys, { issuer, audience })).payload;
  }
}
