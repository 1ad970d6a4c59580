/** Logins as they end, whatever the protocol: an identity provider vouches for somebody, and says of which groups they are. */

import { sql } from 'kysely';
import { expect } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { assert } from '../../src/kernel/assert.ts';
import { type ConnectionId, newId } from '../../src/kernel/ids.ts';
import { secretBox } from '../../src/kernel/secret-box.ts';
import type { Connection, StandingConnection } from '../../src/sso/connection.ts';
import { insertConnection, selectConnection } from '../../src/sso/connection-store.ts';
import { type ClaimedGroups, claimedGroups } from '../../src/sso/core/claimed-groups.ts';
import { type LoginOutcome, settleLogin } from '../../src/sso/settle-login-flow.ts';
import type { TestWorld } from '../support/tenants.ts';

const connections = new WeakMap<TestWorld, Map<string | null, StandingConnection>>();

/** One that makes people, and has a groups claim. */
async function connectionOf(world: TestWorld, defaultRole: string | null): Promise<StandingConnection> {
  const all = connections.get(world) ?? new Map<string | null, StandingConnection>();
  connections.set(world, all);
  const known = all.get(defaultRole);
  if (known !== undefined) return known;
  const connection: Connection = {
    id: newId<ConnectionId>(world.now.getTime()),
    ...{ protocol: 'saml', name: 'test', enabled: true, directoryId: null },
    settings: {
      ...{ entityId: 'urn:test', ssoUrl: 'http://localhost', certificates: [], nameIdFormat: null },
      ...{ ssoPostUrl: null, logoutPostUrl: null, preferPost: false },
      ...{
        wantAssertionsSigned: true,
        wantResponseSigned: false,
        signRequests: false,
        ...{ logoutUrl: null, forceAuthn: false, authnContexts: [] },
        ...{ allowSha1: false, allowCbc: false, allowIdpInitiated: false },
      },
    },
    jit: { enabled: true, create: true, approval: false, attributes: {}, groupsClaim: 'groups', defaultRole },
    domains: [],
    metadata: null,
    revocationIssuer: null,
    keys: [],
    createdAt: world.now,
  };
  const standing = await inTenant(world.database, world.tenantId, async (tx) => {
    insertConnection(tx, connection);
    return await selectConnection(tx, connection.id);
  });
  assert(standing !== undefined, 'it is there');
  all.set(defaultRole, standing);
  return standing;
}

let count = 0;

const defaultRoles = [null, 'team_member', 'none', null];

/** Answers false where the login is refused. The first of a subject makes the person. */
export async function logIn(world: TestWorld, subject: number, groups: number[] | null): Promise<boolean> {
  const { database, tenantId } = world;
  const said = claimedGroups(groups?.map(claimed));
  const outcome = await answer(world, subject, said);
  if (outcome.kind === 'refused') {
    expect(['inactive', 'removed', 'unproved'], 'a login is refused for a reason').toContain(outcome.reason);
    return false;
  }
  if (said === 'unknown') return true;
  const [user] = await inTenant(database, tenantId, (tx) =>
    tx.run(sql<{ claim_values: string[] }>`
      select claim_values from users where tenant_id = ${tenantId} and user_name_key = ${userNameOf(subject)}`),
  );
  expect(user?.claim_values, 'the groups that were said take the place of those before').toEqual(said);
  return true;
}

export const userNameOf = (subject: number) => `login${subject}@example.com`;
const claimed = (group: number) => `CLAIMED${group % 3}`;

export async function answer(
  world: TestWorld,
  subject: number,
  groups: ClaimedGroups,
): Promise<LoginOutcome> {
  const { database, tenantId } = world;
  const connection = await connectionOf(world, defaultRoles[subject % defaultRoles.length] ?? null);
  const clock = { now: () => world.now };
  count += 1;
  const id = `answer${count}`;
  const none = undefined;
  return await settleLogin(
    { database, clock, realClock: clock, secrets: secretBox(Buffer.alloc(32)), publicUrl: '' },
    { tenantId, connectionId: connection.id },
    { requestId: id, responseHash: id, mayTrace: () => true },
    async () => ({
      connection,
      identity: {
        ...{
          subject: `subject${subject}`,
          userName: userNameOf(subject),
          externalId: none,
          email: none,
          emailVerified: true,
          userNameVerified: true,
        },
        ...{ givenName: none, familyName: none, displayName: none },
      },
      groups,
      once: { id, until: new Date(world.now.getTime() + 60_000) },
      ...{
        sessionUntil: null,
        authenticatedAt: world.now,
        acr: null,
        upstream: null,
        upstreamSid: null,
        askedAt: world.now,
        returnTo: null,
      },
    }),
  );
}
