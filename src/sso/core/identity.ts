/**
 * Who somebody is by an identity provider's word. What is a subject there never changes, and is no other person's.
 */

import { fold } from '../../kernel/fold.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { limits } from '../../kernel/limits.ts';
import { isStorable } from '../../kernel/storable.ts';
import { Refusal } from './refusal.ts';
import type { SignedAssertion } from './saml-policy.ts';
import { persistentFormat, transientFormat } from './urns.ts';

/** The identity provider's name for each of ours. */
export interface AttributeNames {
  /** In place of the NameID, where that one is not persistent. */
  subject?: string;
  externalId?: string;
  userName?: string;
  email?: string;
  givenName?: string;
  familyName?: string;
  displayName?: string;
}

export interface ExternalIdentity {
  /** Qualified by who named it. */
  subject: string;
  externalId: string | undefined;
  userName: string | undefined;
  email: string | undefined;
  /** Whether the identity provider says that the address is the person's. */
  emailVerified: boolean;
  /** false: it is an address, of which the identity provider does not say that it is the person's. */
  userNameVerified: boolean;
  givenName: string | undefined;
  familyName: string | undefined;
  displayName: string | undefined;
}

/** @param idp Entity id of the identity provider, and `sp` ours: they qualify a NameID that says nothing else. @throws Refusal */
export function identityOf(
  { nameId, attributes }: Pick<SignedAssertion, 'nameId' | 'attributes'>,
  names: AttributeNames,
  { idp, sp }: { idp: string; sp: string },
): ExternalIdentity {
  const claim = (name: string | undefined) => (name === undefined ? undefined : single(attributes, name));
  const own = claim(names.subject);
  return {
    subject: names.subject === undefined ? persistent(nameId, idp, sp) : qualified(own, names.subject, [idp]),
    externalId: claim(names.externalId),
    userName: claim(names.userName),
    email: claim(names.email),
    // SAML has no word for it: what it says of a person it vouches for.
    emailVerified: true,
    userNameVerified: true,
    givenName: claim(names.givenName),
    familyName: claim(names.familyName),
    displayName: claim(names.displayName),
  };
}

function single(attributes: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  const values = (attributes.get(name) ?? []).filter((value) => value !== '');
  if (values.length > 1)
    throw new Refusal('claim', `"${name}" is to have one value, and has ${values.length}.`);
  const [value] = values;
  if (value === undefined) return undefined;
  if (Buffer.byteLength(fold(value)) > limits.keyBytesMax || !isStorable(value)) {
    throw new Refusal('claim', `"${name}" is longer than ${limits.keyBytesMax} bytes.`);
  }
  return value;
}

function persistent(nameId: SignedAssertion['nameId'], idp: string, sp: string): string {
  if (nameId === null) throw new Refusal('subject', 'The assertion has no NameID.');
  const { value, format, nameQualifier, spNameQualifier } = nameId;
  if (format !== persistentFormat) {
    const what = format === transientFormat ? 'transient' : `of the format ${format ?? 'unspecified'}`;
    throw new Refusal(
      'subject',
      `The NameID is ${what}: send a persistent one, or name an attribute that never changes as jit.attributes.subject.`,
    );
  }
  return qualified(value, 'NameID', [nameQualifier ?? idp, spNameQualifier ?? sp]);
}

/** SAML 2.0 Core §8.3.7 limits a persistent identifier to 256 characters. */
function qualified(value: string | undefined, name: string, qualifiers: string[]): string {
  if (value === undefined || value === '') throw new Refusal('subject', `The assertion has no ${name}.`);
  if (value.length > 256) throw new Refusal('subject', `${name} is longer than 256 characters.`);
  return JSON.stringify([value, ...qualifiers]);
}

/** SCIM attributes of somebody who comes for the first time. @throws Refusal */
export function newUser({
  userName,
  email,
  givenName,
  familyName,
  displayName,
}: ExternalIdentity): JsonObject {
  if (userName === undefined) {
    throw new Refusal(
      'claim',
      'There is no userName to make the person with: name its attribute as jit.attributes.userName.',
    );
  }
  const name = {
    ...(givenName === undefined ? {} : { givenName }),
    ...(familyName === undefined ? {} : { familyName }),
  };
  return {
    userName,
    active: true,
    ...(Object.keys(name).length === 0 ? {} : { name }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(email === undefined ? {} : { emails: [{ value: email, type: 'work', primary: true }] }),
  };
}
