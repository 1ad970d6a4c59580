/** Performs a SCIM message that is no HTTP request of its own: the same operations and searches, by their path. */

import { inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { JsonObject } from '../kernel/json.ts';
import { bulkOperations, performBulk } from './bulk-flow.ts';
import { readBulk } from './core/bulk.ts';
import { listResponse } from './core/messages.ts';
import { project } from './core/project.ts';
import { readSearchRequest, type SearchQuery } from './core/search-request.ts';
import { urns } from './core/urns.ts';
import type { Creations } from './creation-flow.ts';
import { dialectOf } from './dialect.ts';
import { selectExtensionsOf } from './extension-store.ts';
import { renderGroup } from './group-mapping.ts';
import {
  type Asking,
  perform,
  type ResourceName,
  type ScimContent,
  type ScimMethod,
} from './resource-flow.ts';
import { type SearchAnswer, searchAll, searchGroups, searchUsers } from './search-flow.ts';

export interface Message {
  method: string;
  /** Below the SCIM endpoints. */
  path: string;
  query: SearchQuery;
  body: unknown;
}

export interface MessageAnswer {
  status: number;
  /** Groups without their members; null: none. */
  body: JsonObject | null;
}

/** Operations of a Bulk request that are performed here. */
const bulkMax = 100;

/** A message tells nobody of what it makes, so that no answer of it can be lost. */
const untold: Creations = { begin: () => {}, abandon: () => {}, fateOf: () => 'answered' };

/** An error as the message's sender would hear of it. */
export type Describe = (error: unknown) => { status: number; body: JsonObject };

/** What a message that is no resource, search or Bulk request meets is `not_found`. */
export async function performMessage(
  sender: Omit<Asking, 'dialect' | 'creations'>,
  message: Message,
  describe: Describe,
): Promise<MessageAnswer> {
  const { database, caller } = sender;
  const extensions = await inTenant(database, caller.tenantId, (tx) =>
    selectExtensionsOf(tx, caller.directoryId),
  );
  const dialect = dialectOf(caller.directoryKind, extensions);
  try {
    return await route({ ...sender, dialect, creations: untold }, message, describe);
  } catch (error) {
    return describe(error);
  }
}

const pathForm = /^\/?(?:(Users|Groups)(?:\/([^/]+))?)?\/?$/i;

async function route(asking: Asking, message: Message, describe: Describe): Promise<MessageAnswer> {
  const { path, query, body } = message;
  const method = message.method === 'HEAD' ? 'GET' : message.method;
  if (method === 'POST' && /^\/Bulk\/?$/i.test(path)) return await bulk(asking, body, describe);
  const [whole, endpoint, id] = pathForm.exec(path) ?? [];
  const type: ResourceName | undefined =
    endpoint === undefined ? undefined : endpoint.toLowerCase() === 'users' ? 'User' : 'Group';
  const isSearch = id === '.search' || /^\/\.search\/?$/.test(path);
  if (method === 'POST' && isSearch) return await list(asking, type, readSearchRequest(body));
  if (whole === undefined) throw new Fault('not_found', `${path} is no resource, search or Bulk request.`);
  if (method === 'GET' && id === undefined) return await list(asking, type, query);
  // A POST makes what has no id yet, everything else is about what has one.
  if (type === undefined || !isMethod(method) || (method === 'POST') !== (id === undefined))
    throw new Fault('not_found', `There is no ${method} of ${path}.`);
  return await one(
    asking,
    type,
    { ...message, method },
    id === undefined ? undefined : decodeURIComponent(id),
  );
}

function isMethod(method: string): method is ScimMethod {
  return ['POST', 'GET', 'PUT', 'PATCH', 'DELETE'].includes(method);
}

async function one(
  asking: Asking,
  type: ResourceName,
  { method, query, body }: Message & { method: ScimMethod },
  id: string | undefined,
): Promise<MessageAnswer> {
  const answer = await perform(asking, { method, type, id, query, body, conditions: {} });
  return { status: answer.status, body: render(asking, answer.content) };
}

async function list(
  asking: Asking,
  type: ResourceName | undefined,
  query: SearchQuery,
): Promise<MessageAnswer> {
  const search = type === undefined ? searchAll : type === 'User' ? searchUsers : searchGroups;
  const { place, resources }: SearchAnswer = await search(asking, query);
  const rendered = resources.map((content) => render(asking, content)).filter((body) => body !== null);
  return { status: 200, body: listResponse(place, rendered) };
}

async function bulk(asking: Asking, body: unknown, describe: Describe): Promise<MessageAnswer> {
  const request = readBulk(body);
  if (request.operations.length > bulkMax) {
    throw new Fault('too_large', `A Bulk request of more than ${bulkMax} operations is not tried here.`);
  }
  const operations = bulkOperations(await performBulk(asking, request), describe);
  return { status: 200, body: { schemas: [urns.bulkResponse], Operations: operations } };
}

function render({ baseUrl }: Asking, content: ScimContent): JsonObject | null {
  switch (content.kind) {
    case 'none':
      return null;
    case 'resource':
      return content.resource;
    case 'group':
      return project(content.projection, renderGroup(content.projection.type, content.group, baseUrl));
  }
}
