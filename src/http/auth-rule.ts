/** Who may call a route. Every route states it in its `config`; one without is refused when the gateway starts. */

import type { FastifyInstance } from 'fastify';

export type AuthRule =
  /** Anybody. */
  | 'none'
  /** An identity provider, by a directory token. */
  | 'directory'
  /** An operator's key. */
  | 'operator'
  /** An operator's key, or a key of the tenant in the path that may write: owner or admin. */
  | 'tenant-write'
  /** As `tenant-write`, or an auditor's. */
  | 'tenant-read';

declare module 'fastify' {
  interface FastifyContextConfig {
    auth?: AuthRule;
  }
}

/** Refuses, at start, a route that does not say who may call it. */
export function requireAuthRules(app: FastifyInstance): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.auth === undefined) throw new Error(`${method} ${url} states no auth rule`);
  });
}
