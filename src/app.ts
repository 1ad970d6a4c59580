/** The HTTP application: every route the gateway has is listed here, in the scope whose rules it follows. */

import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { requireAuthRules } from './http/auth-rule.ts';
import { healthRoutes } from './http/health-routes.ts';
import { installMetrics } from './http/metrics-hook.ts';
import { installRequestLog } from './http/request-log-hook.ts';
import type { Services } from './http/services.ts';
import { limits } from './kernel/limits.ts';
import { installScimAuth } from './scim/scim-auth-hook.ts';
import { scimDiscoveryRoutes } from './scim/scim-discovery-routes.ts';
import { scimGroupRoutes } from './scim/scim-group-routes.ts';
import { installScimMessages } from './scim/scim-message-hook.ts';
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
    routerOptions: { ignoreTrailingSlash: true },
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
  return app;
}

function scimScope(scope: FastifyInstance, services: Services, rateLimit: number): void {
  installScimMessages(scope);
  installScimAuth(scope, services, rateLimit);
  scimDiscoveryRoutes(scope, services);
  scimUserRoutes(scope, services);
  scimGroupRoutes(scope, services);
}
