/** The core Group schema (RFC 7643 §4.2, §8.7.1) as data. */

import type { Schema } from './attribute.ts';
import { complex, reference, string } from './define.ts';

// RFC 7643 §4.2: a member is added or removed, never edited.
const immutable = { mutability: 'immutable' } as const;

export const groupSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  // As for users: OneLogin's templates (docs/identity-providers.md "OneLogin").
  aliases: ['urn:scim:schemas:core:2.0:Group', 'urn:scim:schemas:core:2.0', 'urn:scim:schemas:core:1.0'],
  name: 'Group',
  description: 'A set of people.',
  attributes: [
    string('displayName', 'The name of the group.', { required: true, lookedUp: true }),
    complex(
      'members',
      'The people in the group.',
      [
        string('value', 'The id of the person.', immutable),
        reference('$ref', 'The URI of the person.', ['User'], immutable),
        string('type', 'What the member is; groups in groups are not supported.', {
          canonicalValues: ['User'],
          ...immutable,
        }),
        string('display', 'The name of the person.', { mutability: 'readOnly' }),
      ],
      { multiValued: true, storedApart: true },
    ),
  ],
};
