/** Writes an identity provider's logout messages (SAML 2.0 Core §3.7), unsigned. */

import { idpEntityId } from './forge.ts';

export interface LogoutRequestParts {
  id: string;
  issuer: string;
  destination: string;
  subject: string;
  index: string | null;
  issuedAt: Date;
  notOnOrAfter: Date;
  more: string;
}

const names =
  'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"';
let count = 0;

export function logoutRequest(
  change: Partial<LogoutRequestParts> & Pick<LogoutRequestParts, 'destination'>,
): string {
  count += 1;
  const { id, issuer, destination, subject, index, issuedAt, notOnOrAfter, more } = {
    ...{ id: `_l${count}`, issuer: idpEntityId, subject: 'ada' },
    ...{ index: null, issuedAt: new Date(), notOnOrAfter: new Date(Date.now() + 60_000), more: '' },
    ...change,
  };
  const sessionIndex = index === null ? '' : `<samlp:SessionIndex>${index}</samlp:SessionIndex>`;
  return `<samlp:LogoutRequest ${names} ID="${id}" Version="2.0" IssueInstant="${issuedAt.toISOString()}" NotOnOrAfter="${notOnOrAfter.toISOString()}" Destination="${destination}"><saml:Issuer>${issuer}</saml:Issuer><saml:NameID>${subject}</saml:NameID>${sessionIndex}${more}</samlp:LogoutRequest>`;
}

export function logoutResponse(destination: string, inResponseTo: string, status = 'Success'): string {
  return `<samlp:LogoutResponse ${names} ID="_r${inResponseTo}" Version="2.0" IssueInstant="${new Date().toISOString()}" Destination="${destination}" InResponseTo="${inResponseTo}"><saml:Issuer>${idpEntityId}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${status}"/></samlp:Status></samlp:LogoutResponse>`;
}
