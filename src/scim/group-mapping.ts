/** Between a group as SCIM shows it and as it is kept. Its members are rows of their own and are rendered one by one. */

import type { Group, Member } from '../directory/group.ts';
import type { JsonObject } from '../kernel/json.ts';
import { renderResource } from './core/messages.ts';
import { groupType } from './core/schemas.ts';
import { attributesOf } from './user-mapping.ts';

/** The group without its members. @param baseUrl Where the SCIM endpoints are, without a slash at the end. */
export function renderGroup(group: Group, baseUrl: string): JsonObject {
  return renderResource({
    type: groupType,
    id: group.id,
    attributes: attributesOf(group),
    meta: {
      created: group.createdAt.toISOString(),
      lastModified: group.lastModified.toISOString(),
      location: `${baseUrl}/Groups/${group.id}`,
      version: `W/"${group.version}"`,
    },
  });
}

export function renderMember({ userId, display }: Member, baseUrl: string): JsonObject {
  return { value: userId, $ref: `${baseUrl}/Users/${userId}`, type: 'User', display };
}
