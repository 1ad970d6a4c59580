/**
 * What an administrator's file says of one person, and what that makes of somebody who is known already. Pure.
 */

import { columnsOf } from '../directory/user.ts';
import { fold } from '../kernel/fold.ts';
import type { UserId } from '../kernel/ids.ts';
import { isObject, type JsonObject, type JsonValue } from '../kernel/json.ts';
import { sameJson } from '../kernel/same-json.ts';
import type { Pin } from '../licensing/pin.ts';
import { enterpriseUserSchema } from '../scim/core/extension-schemas.ts';

const { id: enterpriseUserUrn } = enterpriseUserSchema;

export interface Intake {
  /** The person's, where there is nobody of the userName yet. */
  id: UserId;
  userName: string;
  said: Said;
  /** null: nothing is said of it. */
  pin: IntakePin | null;
}

/** Attributes that the file gives a value; the others stay as they are. */
export interface Said {
  active?: boolean;
  email?: string;
  displayName?: string;
  givenName?: string;
  familyName?: string;
  title?: string;
  department?: string;
  /** As an identity provider pushes them in SCIM `roles`. */
  roles?: string[];
}

export type IntakePin = Pick<Pin, 'role' | 'workspaces' | 'until'>;

/** Somebody of the userName. */
export interface KnownPerson {
  id: UserId;
  attributes: JsonObject;
  /** A directory provisions the person: the attributes are its. */
  isOfDirectory: boolean;
  pin: Pin | null;
}

export type Taken = Accepted | Refused;

export interface Accepted {
  outcome: 'created' | 'updated' | 'unchanged';
  userId: UserId;
  /** undefined: nobody. */
  known: KnownPerson | undefined;
  attributes: JsonObject;
  /** To be set; null: it stays as it is, or there is none. */
  pin: IntakePin | null;
}

export interface Refused {
  outcome: 'refused';
  userId: UserId | null;
  code: RefusalCode;
  detail: string;
}

/** Stable: why a row is not carried out. */
export const refusalCodes = ['unreadable', 'repeated', 'directory_owned', 'invalid', 'failed'] as const;
export type RefusalCode = (typeof refusalCodes)[number];

export function takeInto(intake: Intake, known: KnownPerson | undefined): Taken {
  const before = known?.attributes ?? { userName: intake.userName, active: true };
  const attributes = withSaid(before, saidTo(known, intake.said));
  const pin = intake.pin !== null && !isKept(intake.pin, known?.pin ?? null, attributes) ? intake.pin : null;
  if (known === undefined) return { outcome: 'created', userId: intake.id, known, attributes, pin };
  const isChanged = !sameJson(before, attributes);
  if (isChanged && known.isOfDirectory) return ofDirectory(known, before, attributes);
  const outcome = isChanged || pin !== null ? 'updated' : 'unchanged';
  return { outcome, userId: known.id, known, attributes, pin };
}

/** A directory may leave it to the userName to be the address: who says the same says nothing new. */
function saidTo(known: KnownPerson | undefined, { email, ...said }: Said): Said {
  if (email === undefined) return said;
  const isSame = known?.isOfDirectory === true && columnsOf(known.attributes).address === fold(email);
  return isSame ? said : { ...said, email };
}

function ofDirectory({ id }: KnownPerson, before: JsonObject, after: JsonObject): Refused {
  const names = Object.keys(after).filter((name) => !sameJson(before[name], after[name]));
  const what = names.map((name) => (name === enterpriseUserUrn ? 'department' : name)).join(', ');
  const detail = `A directory provisions this person, and would write ${what} anew: change it there, or leave it out here.`;
  return { outcome: 'refused', userId: id, code: 'directory_owned', detail };
}

function withSaid(attributes: JsonObject, said: Said): JsonObject {
  const { active, email, displayName, title, givenName, familyName, department, roles } = said;
  const name = given({ givenName, familyName });
  const { name: knownName, roles: _, [enterpriseUserUrn]: knownWork } = attributes;
  return {
    ...attributes,
    ...given({ active, displayName, title }),
    ...(email === undefined ? {} : { emails: withEmail(attributes, email) }),
    ...(Object.keys(name).length === 0 ? {} : { name: { ...objectOf(knownName), ...name } }),
    ...(department === undefined ? {} : { [enterpriseUserUrn]: { ...objectOf(knownWork), department } }),
    ...(roles === undefined || hasRoles(attributes, roles)
      ? {}
      : { roles: roles.map((value) => ({ value })) }),
  };
}

function given(values: Record<string, JsonValue | undefined>): JsonObject {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? (value as JsonObject) : {};
}

/** The one that counts in Blue becomes this one. */
function withEmail(attributes: JsonObject, email: string): JsonValue {
  const { emails } = attributes;
  const known = Array.isArray(emails) ? emails : [];
  if (known.length > 0 && columnsOf({ userName: '', ...attributes }).address === fold(email)) return known;
  const others = known.filter((one) => !(isObject(one) && one.primary === true));
  return [{ value: email, type: 'work', primary: true }, ...others];
}

function hasRoles(attributes: JsonObject, roles: readonly string[]): boolean {
  const { roleValues } = columnsOf({ userName: '', ...attributes });
  return sameJson(roleValues, [...new Set(roles.map(fold))].sort());
}

/** Whether it stands already, and still does afterwards: a reserved one lapses when its person becomes inactive. */
function isKept(pin: IntakePin, known: Pin | null, attributes: JsonObject): boolean {
  if (known === null || (known.reserved && !columnsOf(attributes).active)) return false;
  const shape = ({ role, workspaces, until }: IntakePin) =>
    JSON.stringify([role, workspaces === null ? null : [...workspaces].sort(), until]);
  return shape(pin) === shape(known);
}
