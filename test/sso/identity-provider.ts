/** The identity provider of the tests: who signs in there is whom the test names. */

import { type IdpPerson, startSamlProvider } from '../../demo/identity-provider/server.ts';

export { type IdpPerson, metadataOf, samlpAttributes } from '../../demo/identity-provider/server.ts';

/** @param more Options for `samlp`, asked for at each request. */
export async function startIdentityProvider(acsOf: () => string, more: () => object = () => ({})) {
  let person: IdpPerson = ada;
  const entityId = 'urn:test:samlp';
  const provider = await startSamlProvider({ entityId, acsOf, whoIs: () => person, more });
  return {
    ...provider,
    becomes: (next: IdpPerson) => {
      person = next;
    },
  };
}

export const ada: IdpPerson = personOf('ada', 'Ada Lovelace');

export function personOf(id: string, displayName: string): IdpPerson {
  const [givenName = '', familyName = ''] = displayName.split(' ');
  return { id, displayName, name: { givenName, familyName }, emails: [{ value: `${id}@example.com` }] };
}
