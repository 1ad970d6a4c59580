/** The HTTP application: every route the gateway has is listed here, in the scope whose rules it follows. */

import { randomUUID } from 'node:crypto';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { accessRequestRoutes } from './admin/access-request-routes.ts';
import { installAdmin } from './admin/admin-scope-hook.ts';
import { adoptionRoutes } from './admin/adoption-routes.ts';
import { alertRoutes, blockGuardRoutes } from './admin/alert-routes.ts';
import { approvalRoutes } from './admin/approval-routes.ts';
import { ApprovedCalls } from './admin/approved-call.ts';
import { auditRoutes } from './admin/audit-routes.ts';
import { auditVerifyRoutes } from './admin/audit-verify-routes.ts';
import { blueRoutes, blueWorkRoutes } from './admin/blue-routes.ts';
import { catalogueEditRoutes, catalogueRoutes } from './admin/catalogue-routes.ts';
import { clientRoutes, clientSecretRoutes } from './admin/client-routes.ts';
import { clockRoutes } from './admin/clock-routes.ts';
import { connectionKeyRoutes } from './admin/connection-key-routes.ts';
import { connectionMetadataRoutes } from './admin/connection-metadata-routes.ts';
import { connectionRoutes } from './admin/connection-routes.ts';
import { connectionTestRoutes } from './admin/connection-test-routes.ts';
import { contractLineRoutes } from './admin/contract-line-routes.ts';
import { contractRoutes } from './admin/contract-routes.ts';
import { directoryRoutes, directoryTokenRoutes } from './admin/directory-routes.ts';
import { domainReadRoutes, domainRoutes } from './admin/domain-routes.ts';
import { installEditGate } from './admin/edit-gate-hook.ts';
import { editRequestRoutes } from './admin/edit-request-routes.ts';
import { groupRoutes } from './admin/group-routes.ts';
import { importedRoutes, importRoutes } from './admin/import-routes.ts';
import { keyRoutes, operatorRoutes } from './admin/key-routes.ts';
import { loginRoutes } from './admin/login-routes.ts';
import {
  mappingDraftEditRoutes,
  mappingDraftRoutes,
  mappingDraftUseRoutes,
} from './admin/mapping-draft-routes.ts';
import { mappingEditRoutes, mappingRoutes } from './admin/mapping-routes.ts';
import { mappingVersionRoutes } from './admin/mapping-version-routes.ts';
import { installOpenApi, openApiPages, openApiRoutes } from './admin/openapi-hook.ts';
import { openIdClientRoutes } from './admin/openid-client-routes.ts';
import { openIdKeyRoutes } from './admin/openid-key-routes.ts';
import { outlookRoutes } from './admin/outlook-routes.ts';
import { parkingRoutes } from './admin/parking-routes.ts';
import { pinRoutes } from './admin/pin-routes.ts';
import { previewRoutes } from './admin/preview-routes.ts';
import { answerError, sendProblem } from './admin/problem-hook.ts';
import { reclaimRoutes } from './admin/reclaim-routes.ts';
import { removedUserRoutes } from './admin/removed-user-routes.ts';
import { replayRoutes, requestRoutes } from './admin/request-routes.ts';
import { schemaEditRoutes, schemaRoutes } from './admin/schema-routes.ts';
import { seatRoutes } from './admin/seat-routes.ts';
import { settingsRoutes } from './admin/settings-routes.ts';
import { signalReceiverRoutes } from './admin/signal-receiver-routes.ts';
import { stagedRoutes } from './admin/staged-routes.ts';
import { subPoolRoutes } from './admin/sub-pool-routes.ts';
import { tenantRoutes } from './admin/tenant-routes.ts';
import { tokenRotationRoutes } from './admin/token-rotation-routes.ts';
import { userRoutes } from './admin/user-routes.ts';
import { requireAuthRules } from './http/auth-rule.ts';
import { installBodyLimit } from './http/body-limit-hook.ts';
import { healthRoutes } from './http/health-routes.ts';
import { installMetrics } from './http/metrics-hook.ts';
import { installRequestLog } from './http/request-log-hook.ts';
import type { Services } from './http/services.ts';
import { Fault } from './kernel/fault.ts';
import { limits } from './kernel/limits.ts';
import { oauthMetadataRoutes, tokenRoutes } from './oauth/oauth-routes.ts';
import { installRecorder } from './requests/record-hook.ts';
import { installScimAuth } from './scim/scim-auth-hook.ts';
import { scimDiscoveryRoutes } from './scim/scim-discovery-routes.ts';
import { installScimMessages, sendFault } from './scim/scim-message-hook.ts';
import { scimBulkRoutes, scimResourceRoutes, scimRootRoutes } from './scim/scim-resource-routes.ts';
import { installUnread } from './scim/unread-hook.ts';
import { ssfMetadataRoutes, ssfRoutes } from './signals/ssf-routes.ts';
import { homeRealmRoutes } from './sso/home-realm-routes.ts';
import { oidcRoutes } from './sso/oidc-routes.ts';
import { interactionRoutes } from './sso/op/interaction-routes.ts';
import { openIdRoutes } from './sso/op/openid-routes.ts';
import { CurrentProvider } from './sso/op/provider-hook.ts';
import { revocationRoutes } from './sso/revocation-routes.ts';
import { samlLogoutRoutes } from './sso/saml-logout-routes.ts';
import { samlRoutes } from './sso/saml-routes.ts';
import { sessionRoutes } from './sso/session-routes.ts';
import { installSsoScope } from './sso/sso-scope-hook.ts';
import { testRoutes } from './sso/test-routes.ts';
import { installVerifier } from './sso/verifier-hook.ts';

export interface AppOptions {
  services: Services;
  log: FastifyBaseLogger;
  trustProxy: boolean | string;
  /** Sustained SCIM requests a second, for each token; 0: no limit. */
  scimRateLimit: number;
  /** Figures of all HTTP processes, where this is one of several. */
  metricsOfAll?: (() => Promise<string>) | undefined;
}

export async function buildApp({ services, log, ...options }: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: log,
    trustProxy: options.trustProxy,
    bodyLimit: limits.bodyBytesMax,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    logController: new LogController({ disableRequestLogging: true }),
    // Microsoft's Postman collection has /users.
    routerOptions: {
      ignoreTrailingSlash: true,
      caseSensitive: false,
      maxParamLength: limits.pathPartLengthMax,
    },
    frameworkErrors: refusePath,
  });
  requireAuthRules(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  installRequestLog(app);
  installBodyLimit(app);
  const metrics = installMetrics(app, options.metricsOfAll);
  healthRoutes(app, services.database, metrics);
  await app.register(
    async (scope) => {
      // Before the recorder, so that what is recorded is what was sent.
      installUnread(scope);
      const callerOf = ({ directoryCaller }: FastifyRequest) => directoryCaller;
      installRecorder(scope, services, { log, metrics: metrics.registry, callerOf });
      scimScope(scope, services, options.scimRateLimit);
    },
    { prefix: '/scim/v2' },
  );
  oauthMetadataRoutes(app, services);
  await app.register(async (scope) => tokenRoutes(scope, services));
  await installOpenApi(app, services.publicUrl);
  const openIdProvider = new CurrentProvider(services, log);
  await app.register(async (scope) => {
    scope.setErrorHandler(answerError);
    revocationRoutes(scope, services);
  });
  ssfMetadataRoutes(app, services);
  await app.register(async (scope) => {
    scope.setErrorHandler(answerError);
    ssfRoutes(scope, services);
  });
  await app.register(async (scope) => {
    await installSsoScope(scope, services.publicUrl);
    const verifier = installVerifier(scope);
    samlRoutes(scope, services, verifier);
    samlLogoutRoutes(scope, services, verifier);
    testRoutes(scope, services);
    oidcRoutes(scope, services);
    sessionRoutes(scope, services);
    homeRealmRoutes(scope, services);
    interactionRoutes(scope, services, openIdProvider);
  });
  await app.register((scope) => openIdRoutes(scope, services, openIdProvider));
  await app.register(async (scope) => {
    await scope.register(async (api) => adminScope(api, services), { prefix: '/api/v1' });
    await scope.register(openApiPages);
  });
  // What belongs to neither surface fails in the form of problems too, not in the framework's.
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new Fault('not_found', `There is nothing at ${request.url.split('?')[0]}.`),
      request.id,
    ),
  );
  return app;
}

/** A path that can't be read belongs to no scope and meets no hook: it is answered in the form of the surface it names. */
function refusePath(_error: Error, request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  const send = request.url.startsWith('/scim/') ? sendFault : sendProblem;
  send(
    reply,
    new Fault('invalid', "The path can't be read: a percent sign in it is written %25."),
    request.id,
  );
}

function adminScope(api: FastifyInstance, services: Services): void {
  const scope = installAdmin(api, services);
  // Known to this process alone: only a call that it makes itself can name it.
  const approved = new ApprovedCalls();
  installEditGate(scope, services, approved);
  openApiRoutes(api);
  operatorRoutes(scope, services);
  tenantRoutes(scope, services);
  keyRoutes(scope, services);
  directoryRoutes(scope, services);
  directoryTokenRoutes(scope, services);
  tokenRotationRoutes(scope, services);
  clientRoutes(scope, services);
  clientSecretRoutes(scope, services);
  connectionRoutes(scope, services);
  connectionTestRoutes(scope, services);
  domainRoutes(scope, services);
  domainReadRoutes(scope, services);
  removedUserRoutes(scope, services);
  connectionKeyRoutes(scope, services);
  connectionMetadataRoutes(scope, services);
  accessRequestRoutes(scope, services);
  loginRoutes(scope, services);
  openIdClientRoutes(scope, services);
  signalReceiverRoutes(scope, services);
  openIdKeyRoutes(scope, services);
  blueRoutes(scope, services);
  blueWorkRoutes(scope, services);
  contractRoutes(scope, services);
  seatRoutes(scope, services);
  outlookRoutes(scope, services);
  alertRoutes(scope, services);
  blockGuardRoutes(scope, services);
  stagedRoutes(scope, services);
  approvalRoutes(scope, services);
  subPoolRoutes(scope, services);
  editRequestRoutes(scope, services, approved);
  contractLineRoutes(scope, services);
  groupRoutes(scope, services);
  mappingRoutes(scope, services);
  mappingEditRoutes(scope, services);
  previewRoutes(scope, services);
  mappingVersionRoutes(scope, services);
  mappingDraftRoutes(scope, services);
  mappingDraftEditRoutes(scope, services);
  mappingDraftUseRoutes(scope, services);
  userRoutes(scope, services);
  pinRoutes(scope, services);
  importRoutes(scope, services);
  importedRoutes(scope, services);
  reclaimRoutes(scope, services);
  adoptionRoutes(scope, services);
  schemaRoutes(scope, services);
  schemaEditRoutes(scope, services);
  parkingRoutes(scope, services);
  auditRoutes(scope, services);
  auditVerifyRoutes(scope, services);
  requestRoutes(scope, services);
  replayRoutes(scope, services);
  settingsRoutes(scope, services);
  clockRoutes(scope, services);
  catalogueRoutes(scope, services);
  catalogueEditRoutes(scope, services);
}

function scimScope(scope: FastifyInstance, services: Services, rateLimit: number): void {
  installScimMessages(scope);
  installScimAuth(scope, services, rateLimit);
  scimDiscoveryRoutes(scope, services);
  scimResourceRoutes(scope, services);
  scimRootRoutes(scope, services);
  scimBulkRoutes(scope, services);
}
