/**
 * Blue down: what identity providers push is answered as fast as before, and everything arrives once Blue is back. Over
 * real HTTP on both sides, with the worker running.
 */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { demoSeed, demoToken } from '../../demo/blue-double/seed.ts';
import { type BlueDouble, startBlueDouble } from '../../demo/blue-double/server.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

const peoplePerRound = 40;
const rounds = 6;
const workspace = 'cws-engineering';

let gateway: TestGateway;
let blue: BlueDouble;
let token: string;
let base: string;
let group: string;

beforeAll(async () => {
  blue = await startBlueDouble({ seed: { ...demoSeed, rate: { key: 1e6, user: 1e6, organization: 1e6 } } });
  gateway = await startGateway();
  const tenant = await gateway.createTenant();
  base = `/tenants/${tenant.slug}`;
  token = await tenant.directoryToken('okta');
  const connection = {
    organizationId: demoSeed.organization.id,
    tokenId: demoToken.uid,
    tokenSecret: demoToken.secret,
    apiUrl: blue.url,
    mode: 'apply',
  };
  await made(gateway.api('PUT', `${base}/blue`, connection));
  await made(
    gateway.api('PUT', `${base}/contract`, {
      kind: 'annual',
      tier: 'T',
      paidSeats: null,
      startsOn: '2026-01-01',
      endsOn: '2099-12-31',
      paymentSchedule: 'annual',
      overage: { policy: 'queue' },
      fallbackRole: 'view_only',
    }),
  );
  const mapping = {
    group: { displayName: 'Eng' },
    role: 'team_member',
    workspaces: [workspace],
    priority: 1,
  };
  await made(gateway.api('POST', `${base}/mappings`, mapping));
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
  group = (await made(gateway.scim(token, 'POST', '/Groups', { schemas, displayName: 'Eng' }))).id;
});
afterAll(async () => {
  await gateway.close();
  await blue.close();
});

let people = 0;

/** Creates people and puts each into the mapped group; answers how long each request took, in ms. */
async function push(): Promise<number[]> {
  const times: number[] = [];
  const timed = async (method: string, path: string, body: unknown) => {
    const started = performance.now();
    const answer = await gateway.scim(token, method, path, body);
    times.push(performance.now() - started);
    expect(answer.status).toBeLessThan(300);
    return answer.body;
  };
  for (let n = 0; n < peoplePerRound; n += 1) {
    people += 1;
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const { id } = await timed('POST', '/Users', { schemas, userName: `p${people}@acme.example` });
    await timed('PATCH', `/Groups/${group}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'add', path: 'members', value: [{ value: id }] }],
    });
  }
  return times;
}

function p95(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? 0;
}

const arrived = () => new Set(blue.state.invitations().map(({ email }) => email)).size;

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const started = performance.now(); !(await holds()); ) {
    if (performance.now() - started > 30_000) throw new Error(`not in time: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

it('answers SCIM as before (p95 at most 1.2 times), and everything arrives afterwards', async () => {
  await push();
  await until('the first people are in Blue', () => arrived() === people);
  const [before, down]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    before.push(...(await push()));
    await until('all are in Blue', () => arrived() === people);
    await blue.close();
    down.push(...(await push()));
    expect(arrived()).toBeLessThan(people);
    const { body } = await gateway.api('GET', `${base}/blue/status`);
    expect(body.pending).toBeGreaterThan(0);
    await blue.reopen();
    await made(gateway.api('POST', `${base}/blue/sync`, {}));
    await until('what was pushed meanwhile is in Blue', () => arrived() === people);
  }
  await until(
    'nothing is left',
    async () => (await gateway.api('GET', `${base}/blue/status`)).body.pending === 0,
  );
  expect((await gateway.api('GET', `${base}/blue/status`)).body.state).toBe('ok');
  // Rounds alternate, so that whatever else the machine does falls on both.
  const ratio = p95(down) / p95(before);
  console.log(
    `p95 ${p95(before).toFixed(1)} ms before, ${p95(down).toFixed(1)} ms with Blue down: ${ratio.toFixed(2)}`,
  );
  expect(ratio).toBeLessThanOrEqual(1.2);
}, 120_000);
