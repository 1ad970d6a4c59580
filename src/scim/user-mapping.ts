/** Between a user as SCIM shows it and as it is kept: what of a body becomes the draft, and what an answer holds. */

import { columnsOf } from '../directory/user.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { UserView } from '../provisioning/user-view.ts';
import type { Attributes, ResourceType } from './core/attribute.ts';
import { replaceAttributes } from './core/immutable.ts';
import { renderResource } from './core/messages.ts';
import type { PatchOperation } from './core/patch-request.ts';
import { entityTag } from './core/precondition.ts';
import { provisioningSchema } from './core/schemas.ts';

/** As the write path takes it: see provisioning/user-flow.ts. */
interface Draft {
  attributes: JsonObject;
  externalId: string | null;
}

/** A POST without `active` means true. */
export function draftOfCreate(read: Attributes): Draft {
  return draftOf({ active: true, ...read });
}

/** A PUT clears what it leaves out, but for `active` and `externalId`. */
export function draftOfReplace(type: ResourceType, read: Attributes, current: Draft): Draft {
  const { active } = columnsOf(current.attributes);
  const replaced = replaceAttributes(type, current.attributes, read);
  return draftOf({ active, ...attributesOf({ externalId: current.externalId }), ...replaced });
}

/** A PATCH that clears `active` leaves it as it is: whoever was switched off stays so. */
export function draftOfPatch(patched: Attributes, current: Draft): Draft {
  return draftOf({ active: columnsOf(current.attributes).active, ...patched });
}

/** What a PATCH is applied to. */
export function attributesOf({
  attributes = {},
  externalId,
}: {
  attributes?: JsonObject;
  externalId: string | null;
}): Attributes {
  return externalId === null ? attributes : { ...attributes, externalId };
}

/** The other way about: `externalId` belongs to the directory that asks, not to the user. */
export function draftOf(read: Attributes): Draft {
  const { externalId, ...attributes } = read;
  return { attributes, externalId: typeof externalId === 'string' ? externalId : null };
}

/** `always`: the operations may change the address; otherwise `active` as they leave it, if they touch it. */
export function foresightOf(operations: readonly PatchOperation[]): 'never' | 'always' | { active: boolean } {
  const touched = new Map(
    operations.map(({ path, value }) => [path.extension === undefined ? path.attribute.name : '', value]),
  );
  if (touched.has('emails') || touched.has('userName')) return 'always';
  const active = touched.get('active');
  return typeof active === 'boolean' ? { active } : 'never';
}

/** @param baseUrl Where the SCIM endpoints are, without a slash at the end. */
export function renderUser(type: ResourceType, view: UserView, baseUrl: string): JsonObject {
  const { user, groups } = view;
  return renderResource({
    type,
    id: user.id,
    attributes: attributesOf(user),
    meta: {
      created: user.createdAt.toISOString(),
      lastModified: user.lastModified.toISOString(),
      location: `${baseUrl}/Users/${user.id}`,
      version: entityTag(user.version),
    },
    extensions: {
      ...(groups.length === 0 ? {} : { groups: groups.map((group) => renderMembership(group, baseUrl)) }),
      [provisioningSchema.id]: provisioningOf(view),
    },
  });
}

function renderMembership({ id, displayName }: UserView['groups'][number], baseUrl: string): JsonObject {
  return { value: id, $ref: `${baseUrl}/Groups/${id}`, display: displayName, type: 'direct' };
}

function provisioningOf({ seat, decision }: UserView): JsonObject {
  const { state, position, since, reason } = seat;
  const requested = decision?.requested ?? [];
  const effective = decision?.effective ?? [];
  return {
    seat: {
      state,
      ...(position === null ? {} : { position }),
      ...(since === null ? {} : { since: since.toISOString() }),
      ...(reason === null ? {} : { reason }),
    },
    ...(effective.length === 0 ? {} : { effectiveRoles: effective.map((role) => ({ ...role })) }),
    ...(requested.length === 0
      ? {}
      : {
          requestedRoles: requested.map(({ role, workspace, via }) => ({ role, workspace, via })),
        }),
  };
}
