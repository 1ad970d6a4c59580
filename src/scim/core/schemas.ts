/** The resource types the gateway serves, with their schemas and the attributes common to all (RFC 7643 §3.1). */

import type { Attribute, ResourceType, Schema } from './attribute.ts';
import { complex, dateTime, reference, string } from './define.ts';
import { enterpriseUserSchema, provisioningSchema } from './extension-schemas.ts';
import { groupSchema } from './group-schema.ts';
import { everyLeniency } from './leniency.ts';
import { userSchema } from './user-schema.ts';

export { enterpriseUserSchema, groupSchema, provisioningSchema, userSchema };

const readOnly = { mutability: 'readOnly' } as const;
const exact = { caseExact: true, ...readOnly } as const;

export const commonAttributes: readonly Attribute[] = [
  // Read-only in this table: `schemas` follows from the data, and authentik sends it inside a PATCH value.
  reference('schemas', 'The URNs of the schemas in the resource.', ['uri'], {
    multiValued: true,
    returned: 'always',
    ...readOnly,
  }),
  string('id', 'The id the gateway gave to the resource.', {
    returned: 'always',
    uniqueness: 'server',
    ...exact,
  }),
  string('externalId', 'The id the identity provider gave to the resource.', {
    caseExact: true,
    lookedUp: true,
  }),
  complex(
    'meta',
    'Facts about the resource.',
    [
      string('resourceType', 'The name of the resource type.', exact),
      dateTime('created', 'When it was made.', readOnly),
      dateTime('lastModified', 'When it was changed last.', readOnly),
      reference('location', 'Its URI.', ['uri'], readOnly),
      string('version', 'Its version.', exact),
    ],
    readOnly,
  ),
];

export const userType: ResourceType = {
  id: 'User',
  name: 'User',
  endpoint: '/Users',
  description: userSchema.description,
  schema: userSchema,
  extensions: [
    { schema: enterpriseUserSchema, required: false },
    { schema: provisioningSchema, required: false },
  ],
  common: commonAttributes,
  discarded: ['password'],
  tolerates: everyLeniency,
};

export const groupType: ResourceType = {
  id: 'Group',
  name: 'Group',
  endpoint: '/Groups',
  description: groupSchema.description,
  schema: groupSchema,
  extensions: [],
  common: commonAttributes,
  discarded: [],
  tolerates: everyLeniency,
};

/** Every schema of the types, each once. */
export function schemasOf(types: readonly ResourceType[]): readonly Schema[] {
  return [...new Set(types.flatMap((type) => [type.schema, ...type.extensions.map(({ schema }) => schema)]))];
}
