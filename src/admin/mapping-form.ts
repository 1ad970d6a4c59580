/** A mapping as the admin API reads and shows it. */

import Type, { type Static } from 'typebox';
import { Fault } from '../kernel/fault.ts';
import { type GroupId, type MappingId, parseId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { fallbackRoles } from '../licensing/catalogue.ts';
import { approvals } from '../licensing/mapping.ts';
import type { MappingDraft, StoredMapping } from '../provisioning/mapping-draft.ts';
import { readDate } from './instant.ts';
import { refuseRepeatedWorkspaces, refuseUnknownRole } from './role-form.ts';
import { closed, Id, Name, nullable, SubPoolName } from './schemas.ts';

const Group = Type.Object(
  {
    id: Type.Optional(Id),
    displayName: Type.Optional(Name),
    externalId: Type.Optional(Name),
    claim: Type.Optional(Name),
    roleValue: Type.Optional(Name),
  },
  {
    ...closed,
    description:
      'Exactly one. A name is bound to the group’s id once the group exists; `claim` is a value of the groups claim of single sign-on, `roleValue` one that the identity provider pushes in SCIM `roles`.',
  },
);
const fields = {
  group: Group,
  role: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'project_administrator, team_member, custom:<role name>, client, comment_only, view_only',
  }),
  workspaces: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
    minItems: 1,
    maxItems: limits.workspacesPerMappingMax,
    description: 'Ids of workspaces in Blue, or exactly ["*"]: the tenant’s default workspaces.',
  }),
  priority: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Unique; 1 beats 2.' }),
  fallbackRole: Type.Optional(nullable(Type.Enum([...fallbackRoles]))),
  validFrom: Type.Optional(
    nullable(Type.String({ maxLength: 40, description: 'ISO 8601: it counts from then on.' })),
  ),
  validUntil: Type.Optional(
    nullable(Type.String({ maxLength: 40, description: 'ISO 8601: it no longer counts from then on.' })),
  ),
  mayPreempt: Type.Optional(
    Type.Boolean({ description: 'Order strict: a claim by it may take the seat of one of lower priority.' }),
  ),
  approval: Type.Optional(
    nullable(
      Type.Enum([...approvals], {
        description:
          'Whether somebody gives the seat: each (manual), or where none is free (when_full). null: as the role has it.',
      }),
    ),
  ),
  subPool: Type.Optional(
    nullable(
      Type.String({
        ...SubPoolName,
        description: 'From whose share of the seats its people are served. null: from the common rest.',
      }),
    ),
  ),
};
export const MappingForm = Type.Object(fields, closed);
export const MappingAnswer = Type.Object({ id: Id, ...fields });

export function readMapping(written: Static<typeof MappingForm>): MappingDraft {
  const {
    fallbackRole,
    validFrom: from,
    validUntil: until,
    mayPreempt = false,
    approval = null,
    subPool = null,
    ...body
  } = written;
  const validFrom = readDate('validFrom', from) ?? null;
  const validUntil = readDate('validUntil', until) ?? null;
  if (validFrom !== null && validUntil !== null && validUntil <= validFrom) {
    throw new Fault('invalid', '"validUntil" must be after "validFrom".', { field: 'validUntil' });
  }
  refuseUnknownRole(body.role);
  refuseRepeatedWorkspaces(body.workspaces);
  const group = readGroup(body.group);
  return {
    ...body,
    group,
    fallbackRole: fallbackRole ?? null,
    validFrom,
    validUntil,
    mayPreempt,
    approval,
    subPool,
  };
}

function readGroup(written: Static<typeof Group>): MappingDraft['group'] {
  const { id, displayName, externalId, claim, roleValue } = written;
  const given = Object.values(written).filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new Fault(
      'invalid',
      '"group" takes exactly one of id, displayName, externalId, claim, roleValue.',
      {
        field: 'group',
      },
    );
  }
  if (displayName !== undefined) return { displayName };
  if (externalId !== undefined) return { externalId };
  if (claim !== undefined) return { claim };
  if (roleValue !== undefined) return { roleValue };
  const groupId = parseId<GroupId>(id ?? '');
  if (groupId === undefined) throw new Fault('invalid', `"group.id" is no id: ${id}.`, { field: 'group.id' });
  return { id: groupId };
}

export function showMapping(mapping: StoredMapping): Static<typeof MappingAnswer> {
  const { id, priority, role, workspaces, fallbackRole, validFrom, validUntil } = mapping;
  const { mayPreempt, approval, subPool } = mapping;
  return {
    id,
    group: showGroup(mapping),
    role,
    workspaces: [...workspaces],
    priority,
    fallbackRole,
    validFrom: validFrom?.toISOString() ?? null,
    validUntil: validUntil?.toISOString() ?? null,
    mayPreempt,
    approval,
    subPool,
  };
}

/** The group by its id once it is known, until then by what is waited for. */
function showGroup(mapping: StoredMapping): Static<typeof Group> {
  const { groupId, groupDisplayName, groupExternalId, roleValue, claimValue } = mapping;
  if (roleValue !== null) return { roleValue };
  if (claimValue !== null) return { claim: claimValue };
  if (groupId !== null) return { id: groupId };
  return groupDisplayName === null
    ? { externalId: groupExternalId ?? '' }
    : { displayName: groupDisplayName };
}

export function mappingIdOf(text: string): MappingId {
  const id = parseId<MappingId>(text);
  if (id === undefined) throw unknownMapping(text);
  return id;
}

export function unknownMapping(id: string): Fault {
  return new Fault('not_found', `There is no mapping ${id}.`);
}
