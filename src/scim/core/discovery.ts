/**
 * The resources by which the service describes itself: exactly what is true, every member the RFC names also when the
 * answer is no (AK-01), no nulls (ENTRA-85). RFC 7643 §5–§7, RFC 7644 §4.
 */

import type { JsonObject } from '../../kernel/json.ts';
import { limits } from '../../kernel/limits.ts';
import type { Attribute, ResourceType, Schema } from './attribute.ts';
import { urns } from './urns.ts';

/**
 * @param baseUrl Where the SCIM endpoints are, without a slash at the end.
 * @param origin Where access tokens are issued.
 */
export function serviceProviderConfig(baseUrl: string, origin: string): JsonObject {
  return {
    schemas: [urns.serviceProviderConfig],
    patch: { supported: true },
    bulk: { supported: true, maxOperations: limits.bulkOperationsMax, maxPayloadSize: limits.bodyBytesMax },
    filter: { supported: true, maxResults: limits.pageSizeMax },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    // RFC 9865 §3. A cursor is a place in an order, so that it stays good for as long as it is kept.
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: limits.pageSizeDefault,
      maxPageSize: limits.pageSizeMax,
    },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'OAuth Bearer Token',
        description:
          'A token of the directory, or an access token from /oauth/token, in the Authorization header.',
        specUri: 'https://www.rfc-editor.org/info/rfc6750',
        primary: true,
      },
      {
        type: 'oauth2',
        name: 'OAuth 2.0 client credentials',
        description: `An access token for the scope "scim" from ${origin}/oauth/token, by secret or by assertion (RFC 7523).`,
        specUri: 'https://www.rfc-editor.org/info/rfc6749',
        primary: false,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  };
}

/** RFC 7643 §6. */
export function resourceTypeResource(type: ResourceType, baseUrl: string): JsonObject {
  return {
    schemas: [urns.resourceType],
    id: type.id,
    name: type.name,
    endpoint: type.endpoint,
    description: type.description,
    schema: type.schema.id,
    schemaExtensions: type.extensions.map(({ schema, required }) => ({ schema: schema.id, required })),
    meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/${type.id}` },
  };
}

/** RFC 7643 §7. */
export function schemaResource(schema: Schema, baseUrl: string): JsonObject {
  return {
    schemas: [urns.schema],
    id: schema.id,
    name: schema.name,
    description: schema.description,
    attributes: schema.attributes.map(attributeResource),
    meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${schema.id}` },
  };
}

/** Every characteristic that RFC 7643 §7 names and none of our own. */
function attributeResource(attribute: Attribute): JsonObject {
  const { canonicalValues, referenceTypes, subAttributes } = attribute;
  return {
    name: attribute.name,
    type: attribute.type,
    multiValued: attribute.multiValued,
    description: attribute.description,
    required: attribute.required,
    ...(canonicalValues === undefined ? {} : { canonicalValues: [...canonicalValues] }),
    caseExact: attribute.caseExact,
    mutability: attribute.mutability,
    returned: attribute.returned,
    uniqueness: attribute.uniqueness,
    ...(referenceTypes === undefined ? {} : { referenceTypes: [...referenceTypes] }),
    ...(subAttributes === undefined ? {} : { subAttributes: subAttributes.map(attributeResource) }),
  };
}
