/**
 * People who join a group one by one, as identity providers push them: many requests at a time, each for one person. Those of one
 * directory for one group that would wait for each other are carried out as if one request had named all of them.
 */

import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import type { Group } from '../directory/group.ts';
import { Gathering } from '../kernel/gathering.ts';
import type { DirectoryId, GroupId, UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { reviseGroup } from './group-flow.ts';

export interface Join {
  groupId: GroupId;
  directoryId: DirectoryId;
  /** Perhaps of nobody. */
  userId: UserId;
}

type AskedJoin = Join & { door: Door };

const gatherings = new WeakMap<Database, Gathering<AskedJoin, Group>>();

/**
 * Adds one person to a group; the trail tells which request it was, and of the first what became of others.
 *
 * @throws as `reviseGroup`.
 */
export function joinGroup(database: Database, door: Door, join: Join): Promise<Group> {
  const { tenantId, actor, peoplePerDecision } = door;
  const kind = JSON.stringify([tenantId, join.groupId, join.directoryId, actor, peoplePerDecision]);
  return gatheringOf(database).do(kind, { ...join, door });
}

function gatheringOf(database: Database): Gathering<AskedJoin, Group> {
  const known = gatherings.get(database);
  if (known !== undefined) return known;
  const made = new Gathering<AskedJoin, Group>(limits.joinsTogether, (joins) => joinAll(database, joins));
  gatherings.set(database, made);
  return made;
}

function joinAll(database: Database, joins: readonly [AskedJoin, ...AskedJoin[]]): Promise<Group> {
  const [{ groupId, directoryId, door }] = joins;
  const now = new Date(Math.max(...joins.map((join) => join.door.now.getTime())));
  // Whoever is named twice joins by the first request.
  const requests = new Map(joins.toReversed().map((join) => [join.userId, join.door.requestId]));
  return reviseGroup(
    database,
    { ...door, now },
    {
      id: groupId,
      directoryId,
      edit: { clear: false, add: [...requests.keys()], remove: [] },
      revise: (current) => current,
      requests,
    },
  );
}
