/** The bodies of answers: a resource, a list, an error. RFC 7643 §3, RFC 7644 §3.4.2, §3.12. */

import type { ScimType } from '../../kernel/fault.ts';
import { isObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { Attributes, ResourceType } from './attribute.ts';
import { urns } from './urns.ts';

export interface Meta {
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly lastModified: string;
  readonly location: string;
  readonly version?: string;
}

export interface Rendered {
  readonly type: ResourceType;
  readonly id: string;
  readonly attributes: Attributes;
  readonly meta: Meta;
  /** What is known from elsewhere: core attributes under their names (`members`, `groups`), extensions under URNs. */
  readonly extensions?: Attributes;
}

/** The whole resource; `schemas` names the core schema and those extensions that have data (ENTRA-23, ENTRA-60). */
export function renderResource({ type, id, attributes, meta, extensions = {} }: Rendered): JsonObject {
  const data = { ...attributes, ...extensions };
  const ids = type.extensions.map(({ schema }) => schema.id).filter((urn) => hasData(data[urn]));
  const { externalId, ...rest } = data;
  for (const { schema } of type.extensions) if (!ids.includes(schema.id)) delete rest[schema.id];
  return {
    schemas: [type.schema.id, ...ids],
    id,
    ...(externalId === undefined ? {} : { externalId }),
    ...rest,
    meta: { resourceType: type.id, ...meta },
  };
}

function hasData(value: JsonValue | undefined): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}

/** Where a page stands: by index, or by cursor, which counts nothing (RFC 9865 §2.1). */
export type PagePlace =
  | { readonly totalResults: number; readonly startIndex: number }
  | { readonly totalResults?: number; readonly nextCursor?: string };

/** `Resources` is there even when empty (A0-01), and `itemsPerPage` is what really is on the page (OKTA-02). */
export function listResponse(place: PagePlace, resources: readonly JsonObject[]): JsonObject {
  return {
    schemas: [urns.listResponse],
    ...place,
    itemsPerPage: resources.length,
    Resources: [...resources],
  };
}

export interface ScimErrorParts {
  readonly status: number;
  readonly scimType?: ScimType | undefined;
  readonly detail: string;
}

/** RFC 7644 §3.12; `status` is a string (ENTRA-91, OKTA-10, OKTA-11). */
export function scimError({ status, scimType, detail }: ScimErrorParts): JsonObject {
  return {
    schemas: [urns.error],
    status: String(status),
    ...(scimType === undefined ? {} : { scimType }),
    detail,
  };
}
