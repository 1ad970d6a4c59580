/** A group as we keep it. Its members are rows of their own and never part of it. */

import type { GroupId, UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';

export interface Group {
  id: GroupId;
  /** SCIM attributes (RFC 7643 §4.2) without id, externalId, members and meta. */
  attributes: JsonObject;
  /** As the directory that asks knows it. */
  externalId: string | null;
  version: number;
  createdAt: Date;
  lastModified: Date;
}

export interface Member {
  groupId: GroupId;
  userId: UserId;
  /** The user's displayName, else userName. */
  display: string;
}

/** A change of members that needs no knowledge of the present ones: first clear, then remove, then add. */
export interface MemberEdit {
  clear: boolean;
  add: readonly string[];
  remove: readonly string[];
}

/** @param attributes With a `displayName`, which the schema requires. */
export function displayNameOf(attributes: JsonObject): string {
  return String(attributes.displayName);
}
