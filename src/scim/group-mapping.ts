/** Between a group as SCIM shows it and as it is kept. Its members are rows of their own and are rendered one by one. */

import type { Group, Member } from '../directory/group.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Attributes, ResourceType } from './core/attribute.ts';
import { replaceAttributes } from './core/immutable.ts';
import { renderResource } from './core/messages.ts';
import { entityTag } from './core/precondition.ts';
import { attributesOf, draftOf } from './user-mapping.ts';

/** A PUT clears what it leaves out, but for `externalId`. */
export function draftOfGroupReplace(
  type: ResourceType,
  read: Attributes,
  current: { attributes: JsonObject; externalId: string | null },
) {
  const draft = draftOf(replaceAttributes(type, current.attributes, read));
  return { ...draft, externalId: draft.externalId ?? current.externalId };
}

/** The group without its members. @param baseUrl Where the SCIM endpoints are, without a slash at the end. */
export function renderGroup(type: ResourceType, group: Group, baseUrl: string): JsonObject {
  return renderResource({
    type,
    id: group.id,
    attributes: attributesOf(group),
    meta: {
      created: group.createdAt.toISOString(),
      lastModified: group.lastModified.toISOString(),
      location: `${baseUrl}/Groups/${group.id}`,
      version: entityTag(group.version),
    },
  });
}

export function renderMember({ userId, display }: Member, baseUrl: string): JsonObject {
  return { value: userId, $ref: `${baseUrl}/Users/${userId}`, type: 'User', display };
}
