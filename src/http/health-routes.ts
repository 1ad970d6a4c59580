/** What a supervisor asks: does the process live, may it be sent requests, what are its figures. */

import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { newestMigration } from '../db/migrate.ts';
import type { Metrics } from './metrics-hook.ts';

export function healthRoutes(app: FastifyInstance, database: Database, metrics: Metrics): void {
  const config = { auth: 'none' } as const;
  app.get('/healthz', { config, logLevel: 'warn' }, async () => ({ status: 'ok' }));
  app.get('/readyz', { config, logLevel: 'warn' }, async (request, reply) => {
    try {
      const rows = await database.run(
        sql<{ name: string }>`select name from kysely_migration where name >= ${newestMigration} limit 1`,
      );
      if (rows.length > 0) return { status: 'ok' };
      return reply.code(503).send({ status: 'unavailable', cause: 'migrations are not current' });
    } catch (error) {
      request.log.warn({ err: error }, 'not ready');
      return reply.code(503).send({ status: 'unavailable', cause: 'the database does not answer' });
    }
  });
  app.get('/metrics', { config, logLevel: 'warn' }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
}
