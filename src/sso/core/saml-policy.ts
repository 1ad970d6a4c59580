/**
 * What a signed assertion must say to be an answer to our question (SAML 2.0 Profiles §4.1.4.2–§4.1.4.3, Core §2): all that the
 * library leaves open. It reads the bytes whose signature held; of the response around them only what may refuse.
 */

import { limits } from '../../kernel/limits.ts';
import { Refusal, type RefusalReason } from './refusal.ts';
import { all, is, one } from './saml-gate.ts';
import { assertionNs, bearerMethod } from './urns.ts';
import { trimXml, type XmlElement } from './xml.ts';

export interface Expected {
  /** Of the identity provider. */
  entityId: string;
  /** Ours. */
  audience: string;
  acsUrl: string;
  requestId: string;
  now: Date;
}

export interface NameId {
  value: string;
  format: string | null;
  nameQualifier: string | null;
  spNameQualifier: string | null;
}

export interface SignedAssertion {
  id: string;
  /** Until when it could be shown again. */
  notOnOrAfter: Date;
  /** Until when the identity provider lets a session live. */
  sessionNotOnOrAfter: Date | null;
  authnInstant: Date;
  /** AuthnContextClassRef. */
  authnContext: string | null;
  sessionIndex: string | null;
  nameId: NameId | null;
  attributes: ReadonlyMap<string, readonly string[]>;
}

/** Characters of a reference that are kept. */
const authnContextLengthMax = 500;
const skewMs = limits.clockSkewSecondsMax * 1000;

/** @throws Refusal */
export function checkAssertion(
  response: XmlElement,
  assertion: XmlElement,
  expected: Expected,
): SignedAssertion {
  if (!is(assertion, assertionNs, 'Assertion'))
    throw new Refusal('structure', 'What is signed is no assertion.');
  checkResponse(response, expected);
  checkVersion(assertion);
  const issuer = trimXml(one(assertion, assertionNs, 'Issuer').text);
  same('issuer', 'The assertion comes from', issuer, expected.entityId);
  const { now } = expected;
  if (instantOf(assertion, 'IssueInstant').getTime() > now.getTime() + skewMs) throw tooEarly('IssueInstant');
  const subject = one(assertion, assertionNs, 'Subject');
  const confirmedUntil = checkConfirmation(one(subject, assertionNs, 'SubjectConfirmation'), expected);
  const conditionsUntil = checkConditions(one(assertion, assertionNs, 'Conditions'), expected);
  const statement = one(assertion, assertionNs, 'AuthnStatement');
  const authnInstant = instantOf(statement, 'AuthnInstant');
  if (authnInstant.getTime() > now.getTime() + skewMs) throw tooEarly('AuthnInstant');
  const sessionNotOnOrAfter = statement.attributes.has('SessionNotOnOrAfter')
    ? instantOf(statement, 'SessionNotOnOrAfter')
    : null;
  if (sessionNotOnOrAfter !== null && sessionNotOnOrAfter <= now) throw tooLate('SessionNotOnOrAfter');
  return {
    id: idOf(assertion),
    notOnOrAfter: new Date(Math.max(confirmedUntil.getTime(), conditionsUntil.getTime())),
    sessionNotOnOrAfter,
    authnInstant,
    authnContext: authnContextOf(statement),
    sessionIndex: statement.attributes.get('SessionIndex') ?? null,
    nameId: nameIdOf(subject),
    attributes: attributesOf(assertion),
  };
}

function authnContextOf(statement: XmlElement): string | null {
  const [context] = all(statement, assertionNs, 'AuthnContext');
  const [reference] = context === undefined ? [] : all(context, assertionNs, 'AuthnContextClassRef');
  return reference === undefined ? null : trimXml(reference.text).slice(0, authnContextLengthMax);
}

function checkResponse(response: XmlElement, { acsUrl, entityId, requestId }: Expected): void {
  checkVersion(response);
  const destination = response.attributes.get('Destination');
  if (destination !== undefined) same('destination', 'The response is meant for', destination, acsUrl);
  const inResponseTo = response.attributes.get('InResponseTo');
  if (inResponseTo !== undefined) same('in_response_to', 'The response answers', inResponseTo, requestId);
  for (const issuer of all(response, assertionNs, 'Issuer')) {
    same('issuer', 'The response comes from', trimXml(issuer.text), entityId);
  }
}

/** Bearer, for this place, as the answer to this request, for a while (Profiles §4.1.4.2). */
function checkConfirmation(confirmation: XmlElement, { acsUrl, requestId, now }: Expected): Date {
  same('confirmation', 'The confirmation is', confirmation.attributes.get('Method'), bearerMethod);
  const data = one(confirmation, assertionNs, 'SubjectConfirmationData');
  same('confirmation', 'The assertion is meant for', data.attributes.get('Recipient'), acsUrl);
  same('in_response_to', 'The assertion answers', data.attributes.get('InResponseTo'), requestId);
  if (data.attributes.has('NotBefore')) throw new Refusal('time', 'A bearer confirmation has no NotBefore.');
  return checkEnd(data, now);
}

function checkConditions(conditions: XmlElement, { audience, now }: Expected): Date {
  const restriction = one(conditions, assertionNs, 'AudienceRestriction');
  const audiences = all(restriction, assertionNs, 'Audience').map(({ text }) => trimXml(text));
  if (!audiences.includes(audience)) {
    throw new Refusal(
      'audience',
      `The assertion is meant for "${audiences.join('", "')}", not for "${audience}".`,
    );
  }
  if (instantOf(conditions, 'NotBefore').getTime() > now.getTime() + skewMs) throw tooEarly('NotBefore');
  return checkEnd(conditions, now);
}

function checkEnd(element: XmlElement, now: Date): Date {
  const end = instantOf(element, 'NotOnOrAfter');
  if (end.getTime() + skewMs <= now.getTime()) throw tooLate(`NotOnOrAfter of ${element.name}`);
  if (end.getTime() > now.getTime() + limits.assertionHoursMax * 3_600_000) {
    throw new Refusal('time', `${element.name} is good for more than ${limits.assertionHoursMax} hours.`);
  }
  return end;
}

function checkVersion({ name, attributes }: XmlElement): void {
  if (attributes.get('Version') !== '2.0') throw new Refusal('structure', `${name} is not of version 2.0.`);
}

function idOf({ attributes }: XmlElement): string {
  const id = attributes.get('ID');
  if (id === undefined || id === '') throw new Refusal('structure', 'The assertion has no ID.');
  return id;
}

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

function instantOf({ name, attributes }: XmlElement, attribute: string): Date {
  const text = attributes.get(attribute);
  const at = text !== undefined && dateTime.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(at.getTime())) throw new Refusal('time', `${name} has no ${attribute} that can be read.`);
  return at;
}

function nameIdOf(subject: XmlElement): NameId | null {
  const [element] = all(subject, assertionNs, 'NameID');
  if (element === undefined) return null;
  const { attributes, text } = element;
  return {
    value: trimXml(text),
    format: attributes.get('Format') ?? null,
    nameQualifier: attributes.get('NameQualifier') ?? null,
    spNameQualifier: attributes.get('SPNameQualifier') ?? null,
  };
}

function attributesOf(assertion: XmlElement): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const attribute of all(assertion, assertionNs, 'AttributeStatement').flatMap(
    ({ children }) => children,
  )) {
    const name = attribute.attributes.get('Name') ?? '';
    if (name === '' || found.has(name))
      throw new Refusal('claim', `The attribute "${name}" comes twice, or has no name.`);
    found.set(
      name,
      attribute.children.map(({ text }) => trimXml(text)),
    );
  }
  return found;
}

function same(reason: RefusalReason, what: string, given: string | undefined, wanted: string): void {
  if (given !== wanted) throw new Refusal(reason, `${what} "${given ?? ''}", not "${wanted}".`);
}

function tooEarly(what: string): Refusal {
  return new Refusal(
    'time',
    `${what} lies in the future: the clocks differ by more than ${limits.clockSkewSecondsMax} s.`,
  );
}

function tooLate(what: string): Refusal {
  return new Refusal('time', `${what} is over.`);
}
