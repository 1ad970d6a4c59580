/** Logout requests and responses (SAML 2.0 Core §3.7, Profiles §4.4): ours are written, the identity provider's checked. */

import { limits } from '../../kernel/limits.ts';
import { Refusal } from './refusal.ts';
import { all, one } from './saml-gate.ts';
import type { NameId } from './saml-policy.ts';
import { assertionNs, protocolNs, successStatus } from './urns.ts';
import { escapeXml, trimXml, type XmlElement } from './xml.ts';

/** Who says it, to whom. */
export interface LogoutParties {
  /** Entity ids. */
  from: string;
  to: string;
  /** Where the message goes. */
  destination: string;
}

export interface LogoutRequest {
  id: string;
  nameId: string;
  /** Empty: all of the person's sessions. */
  sessionIndexes: readonly string[];
  /** Until when it could be shown again. */
  until: Date;
}

const skewMs = limits.clockSkewSecondsMax * 1000;
/** For how long a message is good that says nothing of it. */
const goodForMs = limits.loginMinutesMax * 60_000;

/** @throws Refusal */
export function checkLogoutRequest(root: XmlElement, parties: LogoutParties, now: Date): LogoutRequest {
  if (root.name !== 'LogoutRequest') throw new Refusal('structure', 'The message is no LogoutRequest.');
  const issuedAt = checkMessage(root, parties, now);
  const until = timeOf(root, 'NotOnOrAfter') ?? new Date(issuedAt.getTime() + goodForMs);
  if (until.getTime() + skewMs <= now.getTime()) throw new Refusal('time', 'The request is over.');
  const nameId = trimXml(one(root, assertionNs, 'NameID').text);
  const sessionIndexes = all(root, protocolNs, 'SessionIndex').map(({ text }) => trimXml(text));
  if (nameId === '') throw new Refusal('structure', 'The request names nobody.');
  return { id: idOf(root), nameId, sessionIndexes, until: new Date(until.getTime() + skewMs) };
}

/** Whether the identity provider says that all is over there. @throws Refusal */
export function checkLogoutResponse(
  root: XmlElement,
  parties: LogoutParties & { requestId: string },
  now: Date,
): boolean {
  if (root.name !== 'LogoutResponse') throw new Refusal('structure', 'The message is no LogoutResponse.');
  checkMessage(root, parties, now);
  if (root.attributes.get('InResponseTo') !== parties.requestId) {
    throw new Refusal('in_response_to', 'The response answers another request.');
  }
  const code = one(one(root, protocolNs, 'Status'), protocolNs, 'StatusCode');
  return code.attributes.get('Value') === successStatus;
}

function checkMessage(root: XmlElement, { from, destination }: LogoutParties, now: Date): Date {
  if (root.attributes.get('Version') !== '2.0') throw new Refusal('structure', 'The version is not 2.0.');
  const issuer = trimXml(one(root, assertionNs, 'Issuer').text);
  if (issuer !== from) throw new Refusal('issuer', `The message comes from "${issuer}", not "${from}".`);
  // Bindings §3.4.5.2: who signs must say whom it is for.
  if (root.attributes.get('Destination') !== destination) {
    throw new Refusal('destination', 'The message is meant for another address.');
  }
  const issuedAt = timeOf(root, 'IssueInstant');
  if (issuedAt === undefined || Math.abs(now.getTime() - issuedAt.getTime()) > goodForMs + skewMs) {
    throw new Refusal('time', 'The message was not written just now.');
  }
  return issuedAt;
}

function timeOf({ attributes }: XmlElement, name: string): Date | undefined {
  const text = attributes.get(name);
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) || Number.isNaN(time.getTime())) {
    throw new Refusal('time', `${name} is no time in UTC.`);
  }
  return time;
}

function idOf({ attributes }: XmlElement): string {
  const id = attributes.get('ID') ?? '';
  if (id === '' || id.length > 1000) throw new Refusal('structure', 'The message has no ID.');
  return id;
}

export function writeLogoutRequest(
  { from, destination }: LogoutParties,
  { id, now, nameId, sessionIndex }: { id: string; now: Date; nameId: NameId; sessionIndex: string | null },
): string {
  const until = new Date(now.getTime() + goodForMs).toISOString();
  const qualifiers = [
    ['Format', nameId.format],
    ['NameQualifier', nameId.nameQualifier],
    ['SPNameQualifier', nameId.spNameQualifier],
  ].flatMap(([name, value]) => (value == null ? [] : [` ${name}="${escapeXml(value)}"`]));
  const index =
    sessionIndex === null ? '' : `<samlp:SessionIndex>${escapeXml(sessionIndex)}</samlp:SessionIndex>`;
  return `<samlp:LogoutRequest ${headOf(id, now, destination)} NotOnOrAfter="${until}">${issuerOf(from)}<saml:NameID${qualifiers.join('')}>${escapeXml(nameId.value)}</saml:NameID>${index}</samlp:LogoutRequest>`;
}

export function writeLogoutResponse(
  { from, destination }: LogoutParties,
  { id, now, requestId }: { id: string; now: Date; requestId: string },
): string {
  return `<samlp:LogoutResponse ${headOf(id, now, destination)} InResponseTo="${escapeXml(requestId)}">${issuerOf(from)}<samlp:Status><samlp:StatusCode Value="${successStatus}"/></samlp:Status></samlp:LogoutResponse>`;
}

function headOf(id: string, now: Date, destination: string): string {
  return `xmlns:samlp="${protocolNs}" xmlns:saml="${assertionNs}" ID="${id}" Version="2.0" IssueInstant="${now.toISOString()}" Destination="${escapeXml(destination)}"`;
}

function issuerOf(entityId: string): string {
  return `<saml:Issuer>${escapeXml(entityId)}</saml:Issuer>`;
}
