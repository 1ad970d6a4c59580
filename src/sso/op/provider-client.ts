/** oidc-provider as it is set up here: code flow with PKCE for the tenants' own clients, no consent, everything bound to the gateway's session. */

import Provider, {
  type Account,
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
  type Adapter as OidcAdapter,
} from 'oidc-provider';
import type { Database } from '../../db/database.ts';
import { inTenant } from '../../db/tenant-transaction.ts';
import type { Clock } from '../../kernel/clock.ts';
import { parseId, type UserId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import { isTokenOf } from '../../kernel/token.ts';
import { selectUserView } from '../../provisioning/user-view-store.ts';
import { Adapter, browserLogin, type ClientTenant, clientTenantProperties } from './adapter-client.ts';
import type { BrowserLogin } from './browser-login.ts';
import { claimsOf, claimsOfScopes, hasAccess } from './claims.ts';
import { cookieNames } from './issuer.ts';
import type { PrivateJwk } from './key.ts';
import { type AuthorizationParams, askedIn, isAnswered } from './login-rule.ts';

export interface ProviderOptions {
  issuer: string;
  database: Database;
  /** What is written down and shown. */
  clock: Clock;
  /** What is agreed with clients. */
  realClock: Clock;
  keys: { signing: readonly PrivateJwk[]; cookies: readonly string[] };
  /** The pages that people see. */
  pages: {
    error(ctx: KoaContextWithOIDC): string;
    logout(ctx: KoaContextWithOIDC, form: string): string;
    loggedOut(ctx: KoaContextWithOIDC): string;
  };
  /** Ends the gateway's session of the browser that asks, and with it all that hangs on it. */
  endSession(login: BrowserLogin): Promise<void>;
  onError(ctx: KoaContextWithOIDC, error: Error): void;
  /** What an application did wrong, in words that it is not told. */
  onRefusal(ctx: KoaContextWithOIDC, error: errors.OIDCProviderError): void;
}

const sessionSeconds = limits.sessionHoursMax * 3600;
const tokenSeconds = limits.openIdAccessTokenMinutes * 60;

export function buildProvider(options: ProviderOptions): Provider {
  const provider = new Provider(options.issuer, configurationOf(options));
  // The request is made to look as it does at the issuer's address, whatever its own headers say (openid-routes.ts).
  provider.proxy = true;
  const client = provider.Client.prototype;
  client.compareClientSecret = function compare(secret) {
    return isTokenOf(secret, this.clientSecret ?? '');
  };
  // Told by logout-task.ts, which tries again.
  client.backchannelLogout = async () => undefined;
  provider.use(async (ctx, next) => {
    await next();
    const login = browserLogin(ctx.req);
    const isOver = ctx.oidc?.route === 'end_session_confirm' && ctx.oidc.session?.destroyed === true;
    if (isOver && login !== undefined) await options.endSession(login);
  });
  provider.on('server_error', (ctx, error) => options.onError(ctx, error));
  provider.on('authorization.error', options.onRefusal);
  provider.on('grant.error', options.onRefusal);
  provider.on('userinfo.error', options.onRefusal);
  provider.on('end_session.error', options.onRefusal);
  return provider;
}

function configurationOf({
  issuer,
  database,
  clock,
  realClock,
  keys,
  pages,
}: ProviderOptions): Configuration {
  const isSecure = issuer.startsWith('https:');
  const page = async (ctx: KoaContextWithOIDC, html: string) => {
    ctx.type = 'html';
    ctx.body = html;
  };
  const cookie = { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: true } as const;
  return {
    adapter: (model) => new Adapter(model, database, realClock) as Partial<OidcAdapter> as OidcAdapter,
    jwks: { keys: [...keys.signing] },
    cookies: {
      keys: [...keys.cookies],
      names: cookieNames,
      long: { ...cookie, path: new URL(issuer).pathname },
      short: cookie,
    },
    findAccount: (ctx, sub) => findAccount(ctx, sub, database, clock),
    claims: claimsOfScopes,
    scopes: ['openid'],
    extraClientMetadata: { properties: [...clientTenantProperties] },
    extraParams: { tenant: checkTenant, connection: checkConnection },
    interactions: {
      url: (_ctx, { uid }) => `${new URL(issuer).pathname}/interaction/${uid}`,
      policy: policyOf(realClock),
    },
    loadExistingGrant: grantOf,
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    clientBasedCORS: () => false,
    enabledJWA: { idTokenSigningAlgValues: ['RS256'] },
    renderError: (ctx) => page(ctx, pages.error(ctx)),
    ttl: {
      ...{ AccessToken: tokenSeconds, IdToken: tokenSeconds, AuthorizationCode: limits.openIdCodeSeconds },
      ...{ RefreshToken: sessionSeconds, Grant: sessionSeconds },
      Session: (_ctx, { accountId }) =>
        accountId === undefined ? limits.loginMinutesMax * 60 : sessionSeconds,
      Interaction: limits.loginMinutesMax * 120,
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      backchannelLogout: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => page(ctx, pages.logout(ctx, form)),
        postLogoutSuccessSource: (ctx) => page(ctx, pages.loggedOut(ctx)),
      },
    },
  };
}

function tenantOf(ctx: KoaContextWithOIDC): ClientTenant | undefined {
  return ctx.oidc.client as unknown as ClientTenant | undefined;
}

/** Read each time: whoever has lost access is nobody here from then on. */
async function findAccount(
  ctx: KoaContextWithOIDC,
  sub: string,
  database: Database,
  clock: Clock,
): Promise<Account | undefined> {
  const [id, tenant] = [parseId<UserId>(sub), tenantOf(ctx)];
  if (id === undefined || tenant === undefined) return undefined;
  const view = await inTenant(database, tenant.tenantId, (tx) => selectUserView(tx, id, clock.now()));
  if (view === undefined || !hasAccess(view)) return undefined;
  return { accountId: sub, claims: () => claimsOf(view, tenant.tenantSlug) as { sub: string } };
}

/** A client's tenant is known; whoever names another one has mistaken it. */
function checkTenant(ctx: KoaContextWithOIDC, value: string | undefined): void {
  const tenant = tenantOf(ctx);
  if (value === undefined || value === tenant?.tenantId || value === tenant?.tenantSlug) return;
  throw new errors.InvalidRequest('tenant is not the one of this client');
}

function checkConnection(_ctx: KoaContextWithOIDC, value: string | undefined): void {
  if (value !== undefined && parseId(value) !== value) {
    throw new errors.InvalidRequest('connection must be the id of a connection, in lower case');
  }
}

/** Besides what OpenID Connect asks for: the session must be of the client's tenant and of the connection that is wanted. */
function policyOf(realClock: Clock) {
  const policy = interactionPolicy.base();
  policy.remove('consent');
  const login = policy.get('login');
  login?.checks.add(
    new interactionPolicy.Check('no_such_login', 'the person must sign in first', 'login_required', (ctx) => {
      const [tenant, standing, { accountId }] = [tenantOf(ctx), browserLogin(), ctx.oidc.session ?? {}];
      if (accountId === undefined) return interactionPolicy.Check.NO_NEED_TO_PROMPT;
      const isFit =
        tenant !== undefined &&
        standing?.userId === accountId &&
        ctx.oidc.account !== undefined &&
        isAnswered(
          standing,
          askedIn(tenant.tenantId, paramsOf(ctx)),
          realClock.now(),
          ctx.oidc.result?.login !== undefined,
        );
      return isFit ? interactionPolicy.Check.NO_NEED_TO_PROMPT : interactionPolicy.Check.REQUEST_PROMPT;
    }),
  );
  return policy;
}

function paramsOf({ oidc }: KoaContextWithOIDC): AuthorizationParams {
  return (oidc.params ?? {}) as AuthorizationParams;
}

/** The tenant's own applications need no consent of the person: its admin gave it. */
async function grantOf(ctx: KoaContextWithOIDC) {
  const { client, session, provider, account, requestParamOIDCScopes } = ctx.oidc;
  if (client === undefined || account === undefined) return undefined;
  const known = session?.grantIdFor(client.clientId);
  const found = known === undefined ? undefined : await provider.Grant.find(known);
  const isOf = found?.accountId === account.accountId && found.clientId === client.clientId;
  const { clientId } = client;
  const grant = isOf ? found : new provider.Grant({ clientId, accountId: account.accountId });
  const granted = new Set(grant.getOIDCScope().split(' '));
  const missing = [...requestParamOIDCScopes].filter((scope) => !granted.has(scope));
  if (isOf && missing.length === 0) return grant;
  grant.addOIDCScope(missing.join(' '));
  await grant.save();
  return grant;
}
