/** What the service says of itself: RFC 7644 §4. The same for every tenant. */

import type { FastifyInstance } from 'fastify';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import type { JsonObject } from '../kernel/json.ts';
import { resourceTypeResource, schemaResource, serviceProviderConfig } from './core/discovery.ts';
import { listResponse } from './core/messages.ts';
import { resourceTypes, schemas } from './core/schemas.ts';
import { sendScim } from './scim-message-hook.ts';

export function scimDiscoveryRoutes(scope: FastifyInstance, { publicUrl }: Services): void {
  const baseUrl = `${publicUrl}/scim/v2`;
  const config = { auth: 'directory' } as const;
  scope.get('/ServiceProviderConfig', { config }, async (_request, reply) =>
    sendScim(reply, 200, serviceProviderConfig(baseUrl)),
  );
  publish(
    scope,
    '/ResourceTypes',
    resourceTypes.map((type) => resourceTypeResource(type, baseUrl)),
  );
  publish(
    scope,
    '/Schemas',
    schemas.map((schema) => schemaResource(schema, baseUrl)),
  );
}

/** A list, and each of its resources by id; a filter on them is refused (§4). */
function publish(scope: FastifyInstance, path: string, resources: JsonObject[]): void {
  const config = { auth: 'directory' } as const;
  scope.get<{ Querystring: { filter?: string } }>(path, { config }, async (request, reply) => {
    if (request.query.filter !== undefined) {
      throw new Fault('forbidden', `${path} can't be filtered: leave "filter" out.`);
    }
    return sendScim(reply, 200, listResponse({ totalResults: resources.length, startIndex: 1, resources }));
  });
  scope.get<{ Params: { id: string } }>(`${path}/:id`, { config }, async (request, reply) => {
    const wanted = request.params.id.toLowerCase();
    const found = resources.find(({ id }) => String(id).toLowerCase() === wanted);
    if (found === undefined) throw new Fault('not_found', `There is no ${request.params.id} here.`);
    return sendScim(reply, 200, found);
  });
}
