/** What the service says of itself to the directory that asks: RFC 7644 §4. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import type { JsonObject } from '../kernel/json.ts';
import { resourceTypeResource, schemaResource, serviceProviderConfig } from './core/discovery.ts';
import { listResponse } from './core/messages.ts';
import type { Dialect } from './dialect.ts';
import { dialectOf } from './scim-auth-hook.ts';
import { sendScim } from './scim-message-hook.ts';

const config = { auth: 'directory' } as const;

export function scimDiscoveryRoutes(scope: FastifyInstance, { publicUrl }: Services): void {
  const baseUrl = `${publicUrl}/scim/v2`;
  // Errata 4978 of RFC 7644, and SCIM 1.1 clients, have the plural.
  for (const path of ['/ServiceProviderConfig', '/ServiceProviderConfigs']) {
    scope.get(path, { config }, async (request, reply) => {
      refuseFilter(request);
      return sendScim(reply, 200, serviceProviderConfig(baseUrl, publicUrl));
    });
  }
  publish(scope, '/ResourceTypes', ({ user, group }) =>
    [user, group].map((type) => resourceTypeResource(type, baseUrl)),
  );
  publish(scope, '/Schemas', ({ published }) => published.map((schema) => schemaResource(schema, baseUrl)));
}

/** A list, and each of its resources by id. */
function publish(scope: FastifyInstance, path: string, describe: (dialect: Dialect) => JsonObject[]): void {
  scope.get(path, { config }, async (request, reply) => {
    refuseFilter(request);
    const resources = describe(dialectOf(request));
    return sendScim(reply, 200, listResponse({ totalResults: resources.length, startIndex: 1 }, resources));
  });
  scope.get<{ Params: { id: string } }>(`${path}/:id`, { config }, async (request, reply) => {
    const wanted = request.params.id.toLowerCase();
    const found = describe(dialectOf(request)).find(({ id }) => String(id).toLowerCase() === wanted);
    if (found === undefined) throw new Fault('not_found', `There is no ${request.params.id} here.`);
    return sendScim(reply, 200, found);
  });
}

/** RFC 7644 §4: a filter on these is forbidden. */
function refuseFilter({ query, url }: FastifyRequest): void {
  if ((query as { filter?: unknown }).filter === undefined) return;
  throw new Fault('forbidden', `${url.split('?')[0]} can't be filtered: leave "filter" out.`);
}
