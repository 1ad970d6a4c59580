/** Operations on groups (RFC 7644 §3.3–§3.6). Members are written as a set edit and read by whoever sends the answer. */

import { sql } from 'kysely';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Group, MemberEdit } from '../directory/group.ts';
import { selectGroups } from '../directory/group-view-store.ts';
import { type GroupId, newId, parseId, type UserId } from '../kernel/ids.ts';
import {
  createGroup,
  type GroupDraft,
  removeGroup,
  reviseGroup,
  unknownGroup,
} from '../provisioning/group-flow.ts';
import { joinGroup } from '../provisioning/join-flow.ts';
import { refuseImmutable } from './core/immutable.ts';
import { memberEditOfResource, splitMembers } from './core/member-edit.ts';
import { applyPatch } from './core/patch.ts';
import { readPatch } from './core/patch-request.ts';
import { entityTag, isUnmodified, refuseStale } from './core/precondition.ts';
import { type Projection, readProjection, withChanged, withWritten } from './core/project.ts';
import { refuseHuge } from './core/size.ts';
import { readResource } from './core/validate.ts';
import { createOnce } from './creation-flow.ts';
import { draftOfGroupReplace } from './group-mapping.ts';
import type { Asking, Handlers, ScimAnswer, ScimCall } from './resource-flow.ts';
import { attributesOf, draftOf } from './user-mapping.ts';

export const groupHandlers: Handlers = {
  POST: create,
  GET: read,
  PUT: replace,
  PATCH: patch,
  DELETE: remove,
};

// Everywhere the projection is read before anything is written: what can't be read changes nothing.

async function create(asking: Asking, { id, query, body }: ScimCall): Promise<ScimAnswer> {
  const { database, caller, dialect, door } = asking;
  const asked = readProjection(dialect.group, query);
  const { attributes } = readResource(dialect.group, body);
  const draft = draftOf(attributes);
  refuseHuge(undefined, draft.attributes);
  const { add } = memberEditOfResource(dialect.group, body);
  const group = await createOnce(asking, {
    draft: ['Group', draft, add],
    id: id === undefined ? newId<GroupId>(door.now.getTime()) : groupIdOf(id),
    create: (creation) =>
      createGroup(database, door, caller.directoryId, draft, add, { creation, parking: caller.parking }),
    find: (made) => findGroup(asking, made),
  });
  return answer(asking, 201, group, withWritten(asked, attributes));
}

async function read(asking: Asking, { id, query, conditions }: ScimCall): Promise<ScimAnswer> {
  const projection = readProjection(asking.dialect.group, query);
  const groupId = groupIdOf(id);
  const group = await findGroup(asking, groupId);
  if (group === undefined) throw unknownGroup(groupId);
  return answer(asking, isUnmodified(group.version, conditions) ? 304 : 200, group, projection);
}

async function findGroup({ database, caller }: Asking, id: GroupId): Promise<Group | undefined> {
  const { tenantId, directoryId } = caller;
  const selection = { where: sql`g.id = ${id}`, directoryId, offset: 0, limit: 1 };
  return (await inTenant(database, tenantId, (tx) => selectGroups(tx, selection))).groups[0];
}

async function replace(asking: Asking, call: ScimCall): Promise<ScimAnswer> {
  const type = asking.dialect.group;
  const projection = readProjection(type, call.query);
  const { attributes } = readResource(type, call.body);
  const edit = memberEditOfResource(type, call.body);
  const change = (current: GroupDraft) => draftOfGroupReplace(type, attributes, current);
  return answer(asking, 200, await revise(asking, call, change, edit), withWritten(projection, attributes));
}

/** 204 unless the query asks for attributes: the members of a large group are read for nobody. */
async function patch(asking: Asking, call: ScimCall): Promise<ScimAnswer> {
  const type = asking.dialect.group;
  const projection = readProjection(type, call.query);
  const { operations } = readPatch(type, call.body);
  const { memberEdit, rest } = splitMembers(operations);
  const change = (current: GroupDraft) => draftOf(applyPatch(type, attributesOf(current), rest));
  const joining = rest.length === 0 ? joiningAlone(asking, call, memberEdit) : undefined;
  const group = await (joining ?? revise(asking, call, change, memberEdit));
  const { attributes, excludedAttributes } = call.query;
  const isAsked = attributes !== undefined || excludedAttributes !== undefined;
  const paths = operations.map(({ path }) => path);
  return answer(asking, isAsked ? 200 : 204, group, withChanged(projection, paths));
}

/** The commonest change of a group, and nothing else; undefined: there is more to it. */
function joiningAlone(
  { database, caller, door }: Asking,
  { id, conditions }: ScimCall,
  { clear, add, remove }: MemberEdit,
): Promise<Group> | undefined {
  const userId = parseId<UserId>(add[0] ?? '');
  const isConditional = conditions.ifMatch !== undefined || conditions.ifNoneMatch !== undefined;
  if (clear || add.length > 1 || remove.length > 0 || isConditional || caller.parking || userId === undefined)
    return undefined;
  return joinGroup(database, door, { groupId: groupIdOf(id), directoryId: caller.directoryId, userId });
}

function revise(
  { database, caller, dialect, door }: Asking,
  { id, conditions }: ScimCall,
  change: (current: GroupDraft) => GroupDraft,
  edit: MemberEdit,
): Promise<Group> {
  return reviseGroup(database, door, {
    id: groupIdOf(id),
    directoryId: caller.directoryId,
    parking: caller.parking,
    edit,
    revise: (current, version) => {
      refuseStale(version, conditions);
      const draft = change(current);
      refuseImmutable(dialect.group, current.attributes, draft.attributes);
      refuseHuge(current.attributes, draft.attributes);
      return draft;
    },
  });
}

async function remove(
  { database, door, baseUrl }: Asking,
  { id, conditions }: ScimCall,
): Promise<ScimAnswer> {
  const groupId = groupIdOf(id);
  await removeGroup(database, door, groupId, (version) => refuseStale(version, conditions));
  const location = `${baseUrl}/Groups/${groupId}`;
  return { status: 204, id: groupId, location, version: undefined, content: { kind: 'none' } };
}

function answer(
  { baseUrl }: Asking,
  status: 200 | 201 | 204 | 304,
  group: Group,
  projection: Projection,
): ScimAnswer {
  const { id, version } = group;
  const hasContent = status === 200 || status === 201;
  return {
    status,
    id,
    location: `${baseUrl}/Groups/${id}`,
    version: entityTag(version),
    content: hasContent ? { kind: 'group', group, projection } : { kind: 'none' },
  };
}

/** An id that is no UUID belongs to no group. */
function groupIdOf(text: string | undefined): GroupId {
  const id = parseId<GroupId>(text ?? '');
  if (id === undefined) throw unknownGroup(text ?? '');
  return id;
}
