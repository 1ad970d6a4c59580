/** oidc-provider's storage: its models as artefacts, its clients from the tenants' own. */

import Provider, { type AdapterPayload, errors } from 'oidc-provider';
import type { Database } from '../../db/database.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { TenantId, UserId } from '../../kernel/ids.ts';
import type { JsonObject } from '../../kernel/json.ts';
import {
  type Artefact,
  consumeArtefact,
  deleteArtefact,
  deleteGrant,
  findArtefact,
  type Holder,
  noteSignIns,
  saveArtefact,
} from './artefact-store.ts';
import { type BrowserLogin, browserLoginOf } from './browser-login.ts';
import { findOpenIdClient } from './client-store.ts';

/** Of the request under way, unless another one is named. */
export function browserLogin(request = Provider.ctx?.req): BrowserLogin | undefined {
  return request && browserLoginOf(request);
}

export class Adapter {
  readonly #model: string;
  readonly #database: Database;
  readonly #realClock: Clock;

  constructor(model: string, database: Database, realClock: Clock) {
    this.#model = model;
    this.#database = database;
    this.#realClock = realClock;
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    if (this.#model === 'Client') return await this.#findClient(id);
    const found = await findArtefact(this.#database, this.#model, id, this.#realClock.now());
    if (found === undefined) return undefined;
    // A session here is good only together with the gateway's session under which it came to be.
    const isSession = this.#model === 'Session' && found.sessionHash !== null;
    if (isSession && found.sessionHash !== browserLogin()?.hash) return undefined;
    return { ...found.payload, jti: id, ...(found.consumedAt === null ? {} : { consumed: true }) };
  }

  async upsert(id: string, { jti: _id, ...payload }: AdapterPayload, seconds: number): Promise<void> {
    const login = browserLogin();
    // Who began to sign in here has signed in as somebody else in another tab.
    const isOwn = payload.accountId !== undefined && payload.accountId === login?.userId;
    const holder = isOwn ? { tenantId: login.tenantId, sessionHash: login.hash } : undefined;
    const most = holder === undefined ? seconds : (login?.secondsLeft ?? 0);
    if (this.#model === 'Session') await this.#noteSignIns(payload, holder);
    if (this.#model === 'Session' || this.#model === 'Grant') {
      if (payload.accountId !== undefined && holder === undefined)
        throw new errors.SessionNotFound('somebody else has signed in meanwhile');
    }
    await saveArtefact(this.#database, {
      ...{ model: this.#model, id, payload: withoutCookie(payload), holder },
      clientId: payload.clientId ?? null,
      grantId: (this.#model !== 'Session' && this.#model !== 'Interaction' && payload.grantId) || null,
      expiresAt: new Date(this.#realClock.now().getTime() + Math.min(seconds, most) * 1000),
    } satisfies Artefact);
  }

  /** Of two who use a code or a refresh token at the same moment one is late, and nobody knows which one stole it. */
  async consume(id: string): Promise<void> {
    const now = this.#realClock.now();
    if (await consumeArtefact(this.#database, this.#model, id, now)) return;
    const found = await findArtefact(this.#database, this.#model, id, now);
    if (typeof found?.payload.grantId === 'string') await this.revokeByGrantId(found.payload.grantId);
    throw new errors.InvalidGrant('used already');
  }

  async destroy(id: string): Promise<void> {
    await deleteArtefact(this.#database, this.#model, id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await deleteGrant(this.#database, grantId);
  }

  async #noteSignIns({ accountId, authorizations = {} }: AdapterPayload, holder: Holder | undefined) {
    const sids = Object.entries(authorizations).flatMap(([clientId, { sid }]) =>
      sid === undefined ? [] : [[clientId, sid] as const],
    );
    if (holder === undefined || sids.length === 0) return;
    await noteSignIns(this.#database, holder, accountId as UserId, new Map(sids));
  }

  async #findClient(id: string): Promise<AdapterPayload | undefined> {
    const client = await findOpenIdClient(this.#database, id);
    if (client === undefined) return undefined;
    // Either way of showing the secret is good (RFC 6749 §2.3.1).
    const isBasic = Provider.ctx?.headers.authorization !== undefined;
    return {
      ...{ client_id: id, client_name: client.name, client_secret: client.secretHash },
      redirect_uris: client.redirectUris,
      post_logout_redirect_uris: client.postLogoutRedirectUris,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: isBasic ? 'client_secret_basic' : 'client_secret_post',
      ...(client.backchannelLogoutUri === null
        ? {}
        : { backchannel_logout_uri: client.backchannelLogoutUri, backchannel_logout_session_required: true }),
      ...({ tenantId: client.tenantId, tenantSlug: client.tenantSlug } satisfies ClientTenant),
    };
  }
}

/** What the provider knows of a client besides its own metadata. */
export interface ClientTenant {
  tenantId: TenantId;
  tenantSlug: string;
}
export const clientTenantProperties = ['tenantId', 'tenantSlug'] as const satisfies (keyof ClientTenant)[];

/** An interaction notes the id of the session in which it began, which is the browser's cookie. */
function withoutCookie(payload: AdapterPayload): JsonObject {
  const { cookie: _cookie, ...session } = payload.session ?? {};
  const kept = payload.session === undefined ? payload : { ...payload, session };
  return JSON.parse(JSON.stringify(kept)) as JsonObject;
}
