/** One line a request, when it is answered: who, what, how long. No query, no body, no header: they may hold secrets. */

import type { FastifyInstance } from 'fastify';

export function installRequestLog(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const level = reply.statusCode >= 500 ? 'error' : 'info';
    request.log[level](
      {
        method: request.method,
        route,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ...(request.directoryCaller === null || request.directoryCaller === undefined
          ? {}
          : { tenant: request.directoryCaller.tenantId, directory: request.directoryCaller.directoryId }),
      },
      'answered',
    );
  });
}
