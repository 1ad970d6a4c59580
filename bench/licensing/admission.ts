/** Everybody wants one of the last seats at the same time: as many are given as there are, whoever was first. */

import { Pool } from 'undici';
import type { Database } from '../../src/db/database.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { type Rushed, rush } from '../clients.ts';
import { type Figures, type Finding, rounded } from '../figure.ts';
import type { GatewayProcess } from '../gateway-process.ts';
import { joinGroup } from './operations.ts';
import { differences, tallyOf } from './tally.ts';
import type { ContestTenant, World } from './world.ts';

export const clients = 32;
const secondsMax = 60;

/** @param database With a connection for each client. */
export function measureStore(
  figures: Figures,
  database: Database,
  { inspector, store }: World,
): Promise<void> {
  const admission = {
    id: 'admission.store',
    name: `admission of the last seats, ${clients} clients, at the store`,
  };
  return figures.measure({ ...admission, unit: '/s', aim: { atLeast: 1000 } }, async () => {
    const join = (userId: UserId) => joinGroup(database, store, store.groupId, userId);
    const rushed = await rush({ clients, secondsMax }, store.people, join);
    return await findingOf(rushed, store, await tallyOf(inspector, store.tenantId));
  });
}

/** As an identity provider does it: a PATCH of the group for each person. */
export function measureHttp(
  figures: Figures,
  gateway: GatewayProcess,
  { inspector, http }: World,
): Promise<void> {
  const admission = {
    id: 'admission.http',
    name: `admission of the last seats, ${clients} clients, over HTTP`,
  };
  return figures.measure({ ...admission, unit: '/s', aim: { atLeast: 300 } }, async () => {
    const pool = new Pool(gateway.url, { connections: clients, headersTimeout: 30_000, bodyTimeout: 30_000 });
    try {
      const rushed = await rush({ clients, secondsMax }, http.people, (userId) =>
        patchGroup(pool, http, userId),
      );
      return await findingOf(rushed, http, await tallyOf(inspector, http.tenantId));
    } finally {
      await pool.destroy();
    }
  });
}

async function patchGroup(pool: Pool, { groupId, token }: ContestTenant, userId: UserId): Promise<void> {
  const { statusCode, body } = await pool.request({
    method: 'PATCH',
    path: `/scim/v2/Groups/${groupId}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
    body: JSON.stringify({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'Add', path: 'members', value: [{ value: userId }] }],
    }),
  });
  const text = await body.text();
  if (statusCode >= 300) throw new Error(`${statusCode} ${text}`);
}

/** Exact: not one seat more than there are, and none left while somebody waits. */
function findingOf(
  { done, failed, firstFailure, seconds }: Rushed,
  { seats }: ContestTenant,
  tally: Awaited<ReturnType<typeof tallyOf>>,
): Finding {
  const held = Math.min(seats, done);
  const wrong = differences(tally, { decisions: done, used: held, held, waiting: done - held });
  if (failed > 0) wrong.push(`${failed} failed, first: ${firstFailure}`);
  return {
    value: done / seconds,
    details: { people: done, seats, granted: tally.held, seconds: rounded(seconds) },
    wrong,
  };
}
