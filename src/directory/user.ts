/** A user as we keep it: the attributes as sent, and the columns drawn from them that are looked up or constrained. */

import { fold } from '../kernel/fold.ts';
import type { UserId } from '../kernel/ids.ts';
import { isObject, type JsonObject, type JsonValue } from '../kernel/json.ts';

export interface User {
  id: UserId;
  /** SCIM attributes (RFC 7643 §4.1) without id, externalId, groups and meta. */
  attributes: JsonObject;
  /** As the directory that asks knows it. */
  externalId: string | null;
  version: number;
  createdAt: Date;
  lastModified: Date;
}

/** What of a user is looked up, constrained or decided on. */
export interface UserColumns {
  userName: string;
  userNameKey: string;
  active: boolean;
  displayName: string | null;
  /** The person's address in Blue, lower-cased. */
  address: string | null;
  emails: { typeKey: string | null; valueKey: string }[];
  /** Values of `roles`, folded, each once. */
  roleValues: string[];
}

/** @param attributes With a `userName`, which the schema requires. A user without `active` is active. */
export function columnsOf(attributes: JsonObject): UserColumns {
  const userName = String(attributes.userName);
  const displayName = attributes.displayName;
  return {
    userName,
    userNameKey: fold(userName),
    active: attributes.active !== false,
    displayName: typeof displayName === 'string' ? displayName : null,
    address: addressOf(attributes, userName),
    emails: emailsOf(attributes).map(({ type, value }) => ({
      typeKey: typeof type === 'string' ? fold(type) : null,
      valueKey: fold(value),
    })),
    roleValues: roleValuesOf(attributes),
  };
}

/** The primary, else the work, else the first e-mail, else the userName if it is an address (licensing rule). */
function addressOf(attributes: JsonObject, userName: string): string | null {
  const emails = emailsOf(attributes).filter(({ value }) => isAddress(value));
  const chosen =
    emails.find(({ primary }) => primary === true) ??
    emails.find(({ type }) => typeof type === 'string' && fold(type) === 'work') ??
    emails[0];
  if (chosen !== undefined) return fold(chosen.value);
  return isAddress(userName) ? fold(userName) : null;
}

/** The folded `value` of every role that the identity provider pushed; a role of plain text counts as its value. */
function roleValuesOf({ roles }: JsonObject): string[] {
  if (!Array.isArray(roles)) return [];
  const values = roles.map((role) => (isObject(role) ? role.value : role));
  return [...new Set(values.flatMap((value) => (typeof value === 'string' ? [fold(value)] : [])))].sort();
}

function isAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text);
}

function emailsOf(attributes: JsonObject): { value: string; type?: JsonValue; primary?: JsonValue }[] {
  const emails = attributes.emails;
  if (!Array.isArray(emails)) return [];
  return emails.flatMap((email) =>
    isObject(email) && typeof email.value === 'string'
      ? [{ ...(email as JsonObject), value: email.value }]
      : [],
  );
}
