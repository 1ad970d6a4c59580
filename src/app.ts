/** The HTTP application: every route the gateway has is listed here, in the scope whose rules it follows. */

import { randomUUID } from 'node:crypto';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { installAdmin } from './admin/admin-scope-hook.ts';
import { auditRoutes } from './admin/audit-routes.ts';
import { blueRoutes, blueWorkRoutes } from './admin/blue-routes.ts';
import { contractRoutes } from './admin/contract-routes.ts';
import { directoryRoutes, directoryTokenRoutes } from './admin/directory-routes.ts';
import { groupRoutes } from './admin/group-routes.ts';
import { keyRoutes, operatorRoutes } from './admin/key-routes.ts';
import { mappingEditRoutes, mappingRoutes } from './admin/mapping-routes.ts';
import { installOpenApi, openApiPages, openApiRoutes } from './admin/openapi-hook.ts';
import { answerError, sendProblem } from './admin/problem-hook.ts';
import { tenantRoutes } from './admin/tenant-routes.ts';
import { userRoutes } from './admin/user-routes.ts';
import { requireAuthRules } from './http/auth-rule.ts';
import { healthRoutes } from './http/health-routes.ts';
import { installMetrics } from './http/metrics-hook.ts';
import { installRequestLog } from './http/request-log-hook.ts';
import type { Services } from './http/services.ts';
import { Fault } from './kernel/fault.ts';
import { limits } from './kernel/limits.ts';
import { installScimAuth } from './scim/scim-auth-hook.ts';
import { scimDiscoveryRoutes } from './scim/scim-discovery-routes.ts';
import { scimGroupRoutes } from './scim/scim-group-routes.ts';
import { installScimMessages, sendFault } from './scim/scim-message-hook.ts';
import { scimUserRoutes } from './scim/scim-user-routes.ts';

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
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: limits.pathPartLengthMax },
    frameworkErrors: refusePath,
  });
  requireAuthRules(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  installRequestLog(app);
  healthRoutes(app, services.database, installMetrics(app, options.metricsOfAll));
  await app.register(async (scope) => scimScope(scope, services, options.scimRateLimit), {
    prefix: '/scim/v2',
  });
  await app.register(async (scope) => {
    await installOpenApi(scope, services.publicUrl);
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
  openApiRoutes(api);
  operatorRoutes(scope, services);
  tenantRoutes(scope, services);
  keyRoutes(scope, services);
  directoryRoutes(scope, services);
  directoryTokenRoutes(scope, services);
  blueRoutes(scope, services);
  blueWorkRoutes(scope, services);
  contractRoutes(scope, services);
  groupRoutes(scope, services);
  mappingRoutes(scope, services);
  mappingEditRoutes(scope, services);
  userRoutes(scope, services);
  auditRoutes(scope, services);
}

function scimScope(scope: FastifyInstance, services: Services, rateLimit: number): void {
  installScimMessages(scope);
  installScimAuth(scope, services, rateLimit);
  scimDiscoveryRoutes(scope, services);
  scimUserRoutes(scope, services);
  scimGroupRoutes(scope, services);
}
