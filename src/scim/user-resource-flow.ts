/** Operations on users (RFC 7644 §3.3–§3.6): what a message means to the directory, and what is answered. */

import { inTenant } from '../db/tenant-transaction.ts';
import { columnsOf } from '../directory/user.ts';
import { newId, parseId, type UserId } from '../kernel/ids.ts';
import { joinArrivals } from '../provisioning/parking-flow.ts';
import {
  createUser,
  type Foresight,
  reviseUser,
  type UserDraft,
  unknownUser,
} from '../provisioning/user-flow.ts';
import { removeUser } from '../provisioning/user-removal-flow.ts';
import type { UserView } from '../provisioning/user-view.ts';
import { selectUserView } from '../provisioning/user-view-store.ts';
import { refuseImmutable } from './core/immutable.ts';
import { applyPatch } from './core/patch.ts';
import { readPatch } from './core/patch-request.ts';
import { entityTag, isUnmodified, refuseStale } from './core/precondition.ts';
import { type Projection, project, readProjection, wants, withChanged, withWritten } from './core/project.ts';
import { refuseHuge } from './core/size.ts';
import { readResource } from './core/validate.ts';
import { createOnce } from './creation-flow.ts';
import type { Asking, Handlers, ScimAnswer, ScimCall } from './resource-flow.ts';
import {
  attributesOf,
  draftOfCreate,
  draftOfPatch,
  draftOfReplace,
  foresightOf,
  renderUser,
} from './user-mapping.ts';

export const userHandlers: Handlers = { POST: create, GET: read, PUT: replace, PATCH: patch, DELETE: remove };

async function create(asking: Asking, { id, query, body }: ScimCall): Promise<ScimAnswer> {
  const { database, caller, dialect, door } = asking;
  const asked = readProjection(dialect.user, query);
  const { attributes } = readResource(dialect.user, body);
  const projection = withWritten(asked, attributes);
  const draft = draftOfCreate(attributes);
  refuseHuge(undefined, draft.attributes);
  const directory = { id: caller.directoryId, name: caller.directoryName };
  const view = await createOnce(asking, {
    draft: ['User', draft],
    id: id === undefined ? newId<UserId>(door.now.getTime()) : userIdOf(id),
    create: (creation) => createUser(database, door, directory, draft, { creation }),
    find: (made) => findView(asking, made, projection),
  });
  if (!caller.parking) return answer(asking, 201, view, projection);
  // Should it fail, who waits is found by the next look of parking-task.ts; the person has been made all the same.
  const joined = await joinArrivals(database, door, view.user.id)
    .then(() => findView(asking, view.user.id, projection))
    .catch(() => undefined);
  return answer(asking, 201, joined ?? view, projection);
}

async function read(asking: Asking, { id, query, conditions }: ScimCall): Promise<ScimAnswer> {
  const projection = readProjection(asking.dialect.user, query);
  const userId = userIdOf(id);
  const view = await findView(asking, userId, projection);
  if (view === undefined) throw unknownUser(userId);
  return answer(asking, isUnmodified(view.user.version, conditions) ? 304 : 200, view, projection);
}

function findView({ database, caller, door }: Asking, id: UserId, projection: Projection) {
  const { tenantId, directoryId } = caller;
  const withGroups = wants(projection, 'groups');
  return inTenant(database, tenantId, (tx) => selectUserView(tx, id, door.now, { directoryId, withGroups }));
}

function replace(asking: Asking, call: ScimCall): Promise<ScimAnswer> {
  const type = asking.dialect.user;
  const { attributes } = readResource(type, call.body);
  const { address } = columnsOf(attributes);
  const { active } = attributes;
  const foresight = { address, ...(typeof active === 'boolean' ? { active } : {}) };
  const projection = withWritten(readProjection(type, call.query), attributes);
  return revise(asking, call, projection, foresight, (current) => draftOfReplace(type, attributes, current));
}

function patch(asking: Asking, call: ScimCall): Promise<ScimAnswer> {
  const type = asking.dialect.user;
  const { operations } = readPatch(type, call.body);
  const paths = operations.map(({ path }) => path);
  const projection = withChanged(readProjection(type, call.query), paths);
  return revise(asking, call, projection, foresightOf(operations), (current) =>
    draftOfPatch(applyPatch(type, attributesOf(current), operations), current),
  );
}

/** PUT and PATCH: what is to become of the user, and how much of a decision may rest on it. */
async function revise(
  asking: Asking,
  { id, conditions }: ScimCall,
  projection: Projection,
  foresight: Foresight,
  change: (current: UserDraft) => UserDraft,
): Promise<ScimAnswer> {
  const { database, caller, dialect, door } = asking;
  const view = await reviseUser(database, door, {
    id: userIdOf(id),
    directoryId: caller.directoryId,
    withGroups: wants(projection, 'groups'),
    foresight,
    revise: (current, version) => {
      refuseStale(version, conditions);
      const draft = change(current);
      refuseImmutable(dialect.user, current.attributes, draft.attributes);
      refuseHuge(current.attributes, draft.attributes);
      return draft;
    },
  });
  return answer(asking, 200, view, projection);
}

async function remove(
  { database, door, baseUrl }: Asking,
  { id, conditions }: ScimCall,
): Promise<ScimAnswer> {
  const userId = userIdOf(id);
  await removeUser(database, door, userId, (version) => refuseStale(version, conditions));
  const location = `${baseUrl}/Users/${userId}`;
  return { status: 204, id: userId, location, version: undefined, content: { kind: 'none' } };
}

function answer(
  { dialect, baseUrl }: Asking,
  status: 200 | 201 | 304,
  view: UserView,
  projection: Projection,
): ScimAnswer {
  const { id, version } = view.user;
  const head = { status, id, location: `${baseUrl}/Users/${id}`, version: entityTag(version) };
  if (status === 304) return { ...head, content: { kind: 'none' } };
  const resource = project(projection, renderUser(dialect.user, view, baseUrl));
  return { ...head, content: { kind: 'resource', resource } };
}

/** An id that is no UUID belongs to nobody. */
function userIdOf(text: string | undefined): UserId {
  const id = parseId<UserId>(text ?? '');
  if (id === undefined) throw unknownUser(text ?? '');
  return id;
}
