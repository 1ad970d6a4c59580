/** A group as we keep it. Its members are rows of their own and never part of it. */

import type { GroupId } from '../kernel/ids.ts';
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
