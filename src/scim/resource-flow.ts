/**
 * One operation on one resource, whichever message brought it: a request of its own, a Bulk request, or a recorded call
 * that is tried again. RFC 7644 §3.3–§3.6.
 */

import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import type { Group } from '../directory/group.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { DirectoryCaller } from '../tenants/tenant.ts';
import type { Conditions } from './core/precondition.ts';
import type { Projection, ProjectionQuery } from './core/project.ts';
import type { Creations } from './creation-flow.ts';
import type { Dialect } from './dialect.ts';
import { groupHandlers } from './group-resource-flow.ts';
import { userHandlers } from './user-resource-flow.ts';

/** Who asks, and how SCIM looks to that directory. */
export interface Asking {
  readonly database: Database;
  readonly caller: DirectoryCaller;
  readonly dialect: Dialect;
  readonly door: Door;
  /** Where the SCIM endpoints are, without a slash at the end. */
  readonly baseUrl: string;
  readonly creations: Creations;
}

export type ScimMethod = 'POST' | 'GET' | 'PUT' | 'PATCH' | 'DELETE';
export type ResourceName = 'User' | 'Group';

export interface ScimCall {
  readonly method: ScimMethod;
  readonly type: ResourceName;
  /** As the path has it; for POST the id that the new resource is to have, if that is settled. */
  readonly id: string | undefined;
  readonly query: ProjectionQuery;
  readonly body: unknown;
  readonly conditions: Conditions;
}

/** The members of a group are not part of an answer: who sends it reads them, page by page. */
export type ScimContent =
  | { readonly kind: 'none' }
  | { readonly kind: 'resource'; readonly resource: JsonObject }
  | { readonly kind: 'group'; readonly group: Group; readonly projection: Projection };

export interface ScimAnswer {
  readonly status: 200 | 201 | 204 | 304;
  /** Of what was asked for; none of what was deleted. */
  readonly id: string;
  readonly location: string;
  /** Entity tag; undefined after a deletion. */
  readonly version: string | undefined;
  readonly content: ScimContent;
}

export type Handler = (asking: Asking, call: ScimCall) => Promise<ScimAnswer>;
export type Handlers = Readonly<Record<ScimMethod, Handler>>;

const handlers: Readonly<Record<ResourceName, Handlers>> = { User: userHandlers, Group: groupHandlers };

/** @throws Fault whatever the request deserves. */
export function perform(asking: Asking, call: ScimCall): Promise<ScimAnswer> {
  return handlers[call.type][call.method](asking, call);
}
