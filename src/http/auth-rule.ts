/** Who may call a route. Every route states it in its `config`; one without stops the gateway at start. */

import type { FastifyInstance, RouteOptions } from 'fastify';

export type AuthRule =
  /** Anybody. */
  | 'none'
  /** An identity provider, by a directory token. */
  | 'directory'
  /** A receiver of signals, by its token. */
  | 'signal-receiver'
  /** An operator's key. */
  | 'operator'
  /** An operator's key, or an owner's key of the tenant in the path. */
  | 'tenant-owner'
  /** As `tenant-owner`, or an admin's. */
  | 'tenant-write'
  /** As `tenant-write`, or an auditor's. */
  | 'tenant-read';

declare module 'fastify' {
  interface FastifyContextConfig {
    auth?: AuthRule;
    /** Changes nothing, whatever its method. */
    isRead?: boolean;
  }
  interface FastifyInstance {
    /** Every route, with its auth rule in `config`. */
    readonly routeList: readonly RouteOptions[];
  }
}

/** Refuses, at start, a route that does not say who may call it. */
export function requireAuthRules(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.decorate('routeList', routes);
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  app.addHook('onReady', async () => {
    const open = routes.find(({ config }) => config?.auth === undefined);
    if (open !== undefined) throw new Error(`${open.method} ${open.url} states no auth rule`);
  });
}
