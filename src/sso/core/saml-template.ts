/** What identity providers that speak SAML call the attributes, where they are set up as docs/single-sign-on.md says. */

import type { AttributeNames } from './identity.ts';
import { persistentFormat } from './urns.ts';

export const samlTemplates = ['entra', 'okta', 'google', 'adfs', 'keycloak'] as const;
export type SamlTemplate = (typeof samlTemplates)[number];

interface Settings {
  attributes: AttributeNames;
  nameIdFormat: string | null;
}

const identity = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';
const microsoft = 'http://schemas.microsoft.com/identity/claims/';
const names = {
  email: `${identity}emailaddress`,
  givenName: `${identity}givenname`,
  familyName: `${identity}surname`,
};

/** Without `subject` the NameID says who it is, and must be persistent. */
export const settingsOfTemplate: Record<SamlTemplate, Settings> = {
  entra: {
    attributes: {
      ...names,
      subject: `${microsoft}objectidentifier`,
      userName: `${identity}name`,
      displayName: `${microsoft}displayname`,
    },
    nameIdFormat: null,
  },
  okta: {
    attributes: {
      subject: 'id',
      userName: 'login',
      email: 'email',
      givenName: 'firstName',
      familyName: 'lastName',
    },
    nameIdFormat: null,
  },
  google: {
    attributes: { userName: 'email', email: 'email', givenName: 'firstName', familyName: 'lastName' },
    nameIdFormat: null,
  },
  adfs: {
    attributes: {
      ...names,
      subject: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/primarysid',
      userName: `${identity}upn`,
    },
    nameIdFormat: null,
  },
  keycloak: {
    attributes: {
      userName: 'username',
      email: 'urn:oid:1.2.840.113549.1.9.1',
      givenName: 'urn:oid:2.5.4.42',
      familyName: 'urn:oid:2.5.4.4',
    },
    nameIdFormat: persistentFormat,
  },
};
