/** The core User schema (RFC 7643 §4.1, §8.7.1) as data. `password` is left out on purpose: nobody signs in with one. */

import type { Schema } from './attribute.ts';
import { binary, boolean, complex, reference, string, values } from './define.ts';

const name = complex('name', "The parts of the person's name.", [
  string('formatted', 'The whole name, as it is displayed.'),
  string('familyName', 'The family name.'),
  string('givenName', 'The given name.'),
  string('middleName', 'The middle names.'),
  string('honorificPrefix', 'A title in front of the name.'),
  string('honorificSuffix', 'What follows the name.'),
]);

const addresses = complex(
  'addresses',
  'Postal addresses.',
  [
    string('formatted', 'The whole address, as it is written on an envelope.'),
    string('streetAddress', 'Street, house number and the like.'),
    string('locality', 'The city.'),
    string('region', 'The state or region.'),
    string('postalCode', 'The postal code.'),
    string('country', 'The country.'),
    string('type', 'What the address is used for.', { canonicalValues: ['work', 'home', 'other'] }),
    boolean('primary', 'Whether this is the preferred address; true at most once in the list.'),
  ],
  { multiValued: true },
);

const readOnly = { mutability: 'readOnly' } as const;

const groups = complex(
  'groups',
  'The groups the person is a member of; changed through the groups.',
  [
    string('value', 'The id of the group.', { caseExact: true, ...readOnly }),
    reference('$ref', 'The URI of the group.', ['Group'], readOnly),
    string('display', 'The name of the group.', readOnly),
    string('type', 'How the person belongs to the group.', { canonicalValues: ['direct'], ...readOnly }),
  ],
  { multiValued: true, ...readOnly },
);

export const userSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  // OneLogin's templates may name the core schema as SCIM 1.1 and its drafts did (docs/identity-providers.md "OneLogin").
  aliases: ['urn:scim:schemas:core:2.0:User', 'urn:scim:schemas:core:2.0', 'urn:scim:schemas:core:1.0'],
  name: 'User',
  description: 'A person.',
  attributes: [
    string('userName', 'The name the person signs in with; unique without regard to case.', {
      required: true,
      uniqueness: 'server',
      lookedUp: true,
    }),
    name,
    string('displayName', 'The name of the person for others to read.'),
    string('nickName', 'How the person is called.'),
    reference('profileUrl', "The person's page.", ['external']),
    string('title', 'The job title.'),
    string('userType', 'How the person relates to the organisation.'),
    string('preferredLanguage', 'The preferred language, as in an Accept-Language header.'),
    string('locale', 'How numbers and dates are written for the person.'),
    string('timezone', 'The time zone.'),
    boolean('active', 'Whether the person may use the service.'),
    values('emails', 'E-mail addresses.', string('value', 'The address.', { lookedUp: true }), [
      'work',
      'home',
      'other',
    ]),
    values('phoneNumbers', 'Phone numbers.', string('value', 'The number, kept as sent.'), [
      'work',
      'home',
      'mobile',
      'fax',
      'pager',
      'other',
    ]),
    values('ims', 'Instant messaging addresses.', string('value', 'The address.'), [
      'aim',
      'gtalk',
      'icq',
      'xmpp',
      'msn',
      'skype',
      'qq',
      'yahoo',
    ]),
    values('photos', 'Pictures of the person.', reference('value', 'The URL of the picture.', ['external']), [
      'photo',
      'thumbnail',
    ]),
    addresses,
    groups,
    values('entitlements', 'What the person is entitled to.', string('value', 'The entitlement.')),
    values('roles', 'The roles the identity provider gives to the person.', string('value', 'The role.')),
    values(
      'x509Certificates',
      'Certificates of the person.',
      binary('value', 'The certificate, DER in base64.'),
    ),
  ],
};
