/** Users and groups over SCIM: the same operations at `/Users` and `/Groups` (RFC 7644 §3.3–§3.6). */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { faultOf } from '../http/error-fault.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { sendAnswer, sendList } from './answer-hook.ts';
import { bulkOperations, createdIds, performBulk } from './bulk-flow.ts';
import { readBulk } from './core/bulk.ts';
import { readParameters, readSearchRequest } from './core/search-request.ts';
import { urns } from './core/urns.ts';
import { watchAnswer } from './creation-hook.ts';
import { perform, type ResourceName, type ScimCall, type ScimMethod } from './resource-flow.ts';
import { askingOf } from './scim-auth-hook.ts';
import { describeFault, sendScim } from './scim-message-hook.ts';
import { searchAll, searchGroups, searchUsers } from './search-flow.ts';

const config = { auth: 'directory' } as const;
const methods: readonly ScimMethod[] = ['GET', 'PUT', 'PATCH', 'DELETE'];

export function scimResourceRoutes(scope: FastifyInstance, services: Services): void {
  resourceRoutes(scope, services, '/Users', 'User');
  resourceRoutes(scope, services, '/Groups', 'Group');
}

function resourceRoutes(scope: FastifyInstance, services: Services, path: string, type: ResourceName): void {
  const search = type === 'User' ? searchUsers : searchGroups;
  const handle = async (request: FastifyRequest) => {
    const asking = askingOf(request, services);
    const call = callOf(request, type);
    const answer = await perform(asking, call);
    if (call.method !== 'GET') services.nudgeSync();
    return { asking, answer };
  };

  scope.post(path, { config }, async (request, reply) => {
    const { asking, answer } = await handle(request);
    watchAnswer(reply, services.creations, [answer.id]);
    return sendAnswer(reply, asking, answer);
  });
  scope.get(path, { config }, async (request, reply) => {
    const asking = askingOf(request, services);
    return sendList(reply, asking, await search(asking, queryOf(request)));
  });
  scope.post(`${path}/.search`, { config: { ...config, isRead: true } }, async (request, reply) => {
    const asking = askingOf(request, services);
    return sendList(reply, asking, await search(asking, readSearchRequest(request.body)));
  });
  for (const method of methods) {
    scope.route({
      method,
      url: `${path}/:id`,
      config,
      handler: async (request, reply) => {
        const { asking, answer } = await handle(request);
        return sendAnswer(reply, asking, answer);
      },
    });
  }
}

function queryOf({ query }: FastifyRequest) {
  return readParameters(query as { [name: string]: unknown });
}

function callOf(request: FastifyRequest, type: ResourceName): ScimCall {
  const { id } = request.params as { id?: string };
  return {
    // A HEAD is a GET whose body is not sent (RFC 9110 §9.3.2).
    method: request.method === 'HEAD' ? 'GET' : (request.method as ScimMethod),
    type,
    id,
    query: queryOf(request),
    body: request.body,
    conditions: {
      ifMatch: request.headers['if-match'],
      ifNoneMatch: request.headers['if-none-match'],
    },
  };
}

/** Many operations in one request, each by itself (RFC 7644 §3.7). */
export function scimBulkRoutes(scope: FastifyInstance, services: Services): void {
  scope.post('/Bulk', { config }, async (request, reply) => {
    const results = await performBulk(askingOf(request, services), readBulk(request.body));
    services.nudgeSync();
    watchAnswer(reply, services.creations, createdIds(results));
    const operations = bulkOperations(results, (error) => {
      const fault = faultOf(error);
      if (fault === undefined) request.log.error({ err: error }, 'an operation of a Bulk request failed');
      return describeFault(fault, request.id);
    });
    return sendScim(reply, 200, { schemas: [urns.bulkResponse], Operations: operations });
  });
}

/** Searches that cover every type of resource, and the resource of whoever asks (RFC 7644 §3.4.2.1, §3.4.3, §3.11). */
export function scimRootRoutes(scope: FastifyInstance, services: Services): void {
  scope.get('/', { config }, async (request, reply) => {
    const asking = askingOf(request, services);
    return sendList(reply, asking, await searchAll(asking, queryOf(request)));
  });
  scope.post('/.search', { config: { ...config, isRead: true } }, async (request, reply) => {
    const asking = askingOf(request, services);
    return sendList(reply, asking, await searchAll(asking, readSearchRequest(request.body)));
  });
  scope.route({
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/Me',
    config,
    handler: () => {
      throw new Fault('not_implemented', 'A directory token stands for no user: there is no /Me.');
    },
  });
}
