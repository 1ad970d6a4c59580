/** The provider of this process: made again within seconds of a change of its keys, and told who is signed in in the browser that asks. */

import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Services } from '../../http/services.ts';
import { limits } from '../../kernel/limits.ts';
import { endSession } from '../../sessions/session-flow.ts';
import { logoutPage, refusalPage, signedOutPage } from '../core/page.ts';
import { readPlace } from '../core/sign-in-place.ts';
import { languageOf } from '../core/words.ts';
import { placeCookie, type SignedIn, signedInOf } from '../session-hook.ts';
import { setBrowserLogin } from './browser-login.ts';
import { issuerOf } from './issuer.ts';
import { type KeyRing, readKeyRing } from './key-flow.ts';

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
    // With the library: half a second and a line of it on stderr, which nobody waits for, or reads, who only starts the gateway.
    const { buildProvider } = await import('./provider-client.ts');
    const provider = buildProvider({
      ...{ issuer: issuerOf(publicUrl), database, clock, realClock, keys: ring, pages: pagesAt(publicUrl) },
      endSession: async ({ tenantId, hash }) => {
        await endSession(database, tenantId, hash);
      },
      onError: (ctx, err) => this.#log.error({ reqId: requestIdOf(ctx), err }, 'the OpenID provider failed'),
      onRefusal: (ctx, { error, error_description: told, error_detail: detail = told }) =>
        this.#log.info(
          {
            reqId: requestIdOf(ctx),
            client: ctx.oidc?.client?.clientId,
            error,
            detail: detail?.slice(0, 300),
          },
          'the OpenID provider refused',
        ),
    });
    this.#known = { ring, provider };
    return provider;
  }
}

const requestIdOf = ({ res }: KoaContextWithOIDC) => String(res.getHeader('x-request-id'));
const languageOfContext = ({ headers }: KoaContextWithOIDC) => languageOf(headers['accept-language']);

function pagesAt(publicUrl: string) {
  const placeOf = ({ cookies }: KoaContextWithOIDC) =>
    readPlace(cookies.get(placeCookie(publicUrl), { signed: false }));
  return {
    error: (ctx: KoaContextWithOIDC) =>
      refusalPage(languageOfContext(ctx), { reference: requestIdOf(ctx), place: placeOf(ctx) }),
    logout: (ctx: KoaContextWithOIDC, form: string) =>
      logoutPage(languageOfContext(ctx), { form, application: ctx.oidc.client?.clientName }),
    loggedOut: (ctx: KoaContextWithOIDC) =>
      signedOutPage(languageOfContext(ctx), { wasSignedIn: true, place: placeOf(ctx) }),
  };
}

/** Who is signed in here; the provider hears of it too. */
export async function knowBrowser(
  request: FastifyRequest,
  services: Services,
): Promise<SignedIn | undefined> {
  const signedIn = await signedInOf(request, services);
  if (signedIn === undefined) return undefined;
  const { tenantId, hash, session } = signedIn;
  const secondsLeft = (session.expiresAt.getTime() - services.clock.now().getTime()) / 1000;
  setBrowserLogin(request.raw, { ...session, tenantId, hash, secondsLeft });
  return signedIn;
}
