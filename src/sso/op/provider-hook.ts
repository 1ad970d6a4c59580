/** The provider of this process: made again within seconds of a change of its keys, and told who is signed in in the browser that asks. */

import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Services } from '../../http/services.ts';
import { limits } from '../../kernel/limits.ts';
import { endSession } from '../../sessions/session-flow.ts';
import { logoutPage, refusalPage, signedOutPage } from '../core/page.ts';
import { languageOf } from '../core/words.ts';
import { type SignedIn, signedInOf } from '../session-hook.ts';
import { setBrowserLogin } from './adapter-client.ts';
import { type KeyRing, readKeyRing } from './key-flow.ts';
import { buildProvider } from './provider-client.ts';

export const issuerPath = '/oidc';

export class CurrentProvider {
  readonly #services: Services;
  readonly #log: FastifyBaseLogger;
  #known: { ring: KeyRing; provider: Provider } | undefined;
  #reading: Promise<Provider> | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(services: Services, log: FastifyBaseLogger) {
    this.#services = services;
    this.#log = log;
  }

  /** @throws whatever the database throws. */
  async get(): Promise<Provider> {
    const isFresh = performance.now() - this.#readAtMs < limits.openIdKeysReadMs;
    if (this.#known !== undefined && isFresh) return this.#known.provider;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return await this.#reading;
  }

  async #read(): Promise<Provider> {
    const { database, secrets, clock, realClock, publicUrl } = this.#services;
    const atMs = performance.now();
    const ring = await readKeyRing(database, secrets, realClock.now(), this.#known?.ring);
    this.#readAtMs = atMs;
    if (this.#known?.ring === ring) return this.#known.provider;
    const provider = buildProvider({
      ...{ issuer: `${publicUrl}${issuerPath}`, database, clock, realClock, keys: ring, pages },
      endSession: ({ tenantId, hash }) => endSession(database, tenantId, hash),
      onError: (error) => this.#log.error({ err: error }, 'the OpenID provider failed'),
    });
    this.#known = { ring, provider };
    return provider;
  }
}

const languageOfContext = ({ headers }: KoaContextWithOIDC) => languageOf(headers['accept-language']);

const pages = {
  error: (ctx: KoaContextWithOIDC) =>
    refusalPage(languageOfContext(ctx), { reference: String(ctx.res.getHeader('x-request-id')) }),
  logout: (ctx: KoaContextWithOIDC, form: string) =>
    logoutPage(languageOfContext(ctx), { form, application: ctx.oidc.client?.clientName }),
  loggedOut: (ctx: KoaContextWithOIDC) => signedOutPage(languageOfContext(ctx), true),
};

/** Who is signed in here; the provider hears of it too. */
export async function knowBrowser(
  request: FastifyRequest,
  services: Services,
): Promise<SignedIn | undefined> {
  const signedIn = await signedInOf(request, services);
  setBrowserLogin(
    request.raw,
    signedIn && { ...signedIn.session, tenantId: signedIn.tenantId, hash: signedIn.hash },
  );
  return signedIn;
}
