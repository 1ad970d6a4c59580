/** The contract's lines over HTTP: written, listed, withdrawn, and refused with the field that is wrong. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let base: string;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  base = `/tenants/${(await gateway.createTenant()).slug}/contract`;
  await made(gateway.api('PUT', base, contract));
});

const contract = {
  ...{ kind: 'annual', tier: 'Team', paidSeats: 10, startsOn: '2020-01-01', endsOn: '2099-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
};
const reason = 'agreed';
const amend = (body: object) => gateway.api('POST', `${base}/amendments`, { reason, ...body });
const add = (body: object) => gateway.api('POST', `${base}/lines`, { reason, ...body });
const capacity = async (query = '') => (await gateway.api('GET', `${base}${query}`)).body.inForce.capacity;

it('are answered whole, listed, and counted', async () => {
  const amendment = await amend({
    effectiveOn: '2021-01-01',
    paidSeats: 20,
    tier: 'Large',
    documentReference: 'A-1',
  });
  expect([amendment.status, amendment.body]).toEqual([
    201,
    {
      ...{
        id: expect.any(String),
        kind: 'amendment',
        effectiveOn: '2021-01-01',
        endsOn: null,
        paidSeats: 20,
      },
      ...{ tier: 'Large', contractEndsOn: null, reason, documentReference: 'A-1' },
      ...{ recordedAt: expect.any(String), supersededAt: null },
    },
  ]);
  await made(add({ kind: 'ramp', startsOn: '2022-01-01', paidSeats: 5 }));
  await made(add({ kind: 'add_on', startsOn: '2023-01-01', endsOn: '2023-12-31', paidSeats: 3 }));
  const lines = (await gateway.api('GET', `${base}/lines`)).body.items;
  expect(lines.map(({ kind }: { kind: string }) => kind)).toEqual(['base', 'amendment', 'ramp', 'add_on']);
  expect((await gateway.api('GET', `${base}/amendments`)).body.items).toEqual([amendment.body]);
  const days = ['2020-06-01', '2021-06-01', '2022-06-01', '2023-06-01', '2024-06-01'];
  const counted = await Promise.all(days.map((day) => capacity(`?at=${day}T00:00:00Z`)));
  expect(counted).toEqual([10, 20, 25, 28, 25]);
  expect(await capacity()).toBe(25);
  expect((await gateway.api('GET', base)).body).toMatchObject({
    ...{ tier: 'Team', paidSeats: 10, evaluationGraceDays: 14 },
    inForce: { phase: 'running', tier: 'Large', capacity: 25, endsOn: '2099-12-31' },
  });
});

it('that are withdrawn stay in the books', async () => {
  const { id } = (await amend({ effectiveOn: '2021-01-01', paidSeats: 20 })).body;
  const known = new Date().toISOString();
  expect((await gateway.api('DELETE', `${base}/lines/${id}`)).status).toBe(204);
  expect(await capacity()).toBe(10);
  expect(await capacity(`?recordedAt=${known}`)).toBe(20);
  expect((await gateway.api('DELETE', `${base}/lines/${id}`)).status).toBe(404);
  const then = (await gateway.api('GET', `${base}/lines?recordedAt=${known}`)).body.items;
  expect(then.map(({ kind }: { kind: string }) => kind)).toEqual(['base', 'amendment']);
});

it('of the base are corrected, not withdrawn', async () => {
  const [{ id }] = (await gateway.api('GET', `${base}/lines`)).body.items;
  expect((await gateway.api('DELETE', `${base}/lines/${id}`)).status).toBe(404);
  await made(gateway.api('PUT', base, { ...contract, paidSeats: 12 }));
  expect(await capacity()).toBe(12);
  expect((await gateway.api('GET', `${base}/lines`)).body.items).toHaveLength(1);
});

const line = { kind: 'add_on', startsOn: '2027-03-01', endsOn: '2027-03-31', paidSeats: 3 };
const seats = { effectiveOn: '2027-03-01', paidSeats: 12 };
const old = { ...line, startsOn: '2021-03-01', endsOn: '2021-03-31' };
const moving = { effectiveOn: '2021-03-01', endsOn: '2099-12-31' };

it.each([
  ['the last day before an add-on', () => add(line), { endsOn: '2027-02-01' }, 'endsOn', 'add-on'],
  ['the first day after an add-on', () => add(old), { startsOn: '2021-03-02' }, 'startsOn', 'add-on'],
  ['the last day before an amendment', () => amend(seats), { endsOn: '2027-02-28' }, 'endsOn', 'amendment'],
  [
    'the first day after the amendment that moves the last one',
    () => amend(moving),
    ...([{ startsOn: '2021-03-02' }, 'startsOn', 'amendment'] as const),
  ],
])('keep the base from %s', async (_what, write, days, field, name) => {
  await made(write());
  const put = await gateway.api('PUT', base, { ...contract, ...days });
  expect([put.status, put.body.field]).toEqual([400, field]);
  expect(put.body.detail).toMatch(new RegExp(`-03-01, when the ${name} of that day begins`));
  const tenant = base.replace('/contract', '');
  const told = await gateway.api('POST', `${tenant}/seats/preview`, {
    op: 'contract',
    contract: { ...contract, ...days },
  });
  expect([told.status, told.body.detail]).toEqual([400, put.body.detail]);
  expect((await gateway.api('GET', base)).body).toMatchObject(contract);
});

it('leave what is signed ahead its own: it holds from its first day, and is withdrawn as a line is', async () => {
  await made(add(line));
  const ahead = { ...contract, tier: 'Signed', paidSeats: 7, startsOn: '2027-03-02', endsOn: '2028-03-01' };
  const put = await made(gateway.api('PUT', base, ahead));
  const next = { kind: 'annual', tier: 'Signed', paidSeats: 7, startsOn: '2027-03-02', endsOn: '2028-03-01' };
  expect(put).toMatchObject({ inForce: { capacity: 10 }, next });
  expect((await gateway.api('GET', base)).body).toMatchObject({ ...contract, next });
  expect([await capacity('?at=2027-03-01T12:00:00Z'), await capacity('?at=2027-03-02T12:00:00Z')]).toEqual([
    13, 7,
  ]);
  expect((await gateway.api('GET', `${base}?at=2027-03-02T12:00:00Z`)).body).toMatchObject({
    ...ahead,
    next: null,
  });
  const { items } = (await gateway.api('GET', `${base}/lines`)).body;
  const { id } = items.find(({ effectiveOn }: { effectiveOn: string }) => effectiveOn === '2027-03-02');
  expect((await gateway.api('DELETE', `${base}/lines/${id}`)).status).toBe(204);
  expect((await gateway.api('GET', base)).body).toMatchObject({ ...contract, next: null });
});

it('let the base end where another one moves the last day, and be corrected when that one is withdrawn', async () => {
  const { id } = await made(amend({ effectiveOn: '2027-01-01', endsOn: '2027-12-31' }));
  await made(add(line));
  const shorter = { ...contract, endsOn: '2026-12-31' };
  await made(gateway.api('PUT', base, shorter));
  await gateway.api('DELETE', `${base}/lines/${id}`);
  await made(gateway.api('PUT', base, { ...shorter, paidSeats: 11 }));
});

it.each([
  ['nothing', { effectiveOn: '2021-01-01' }, 'paidSeats'],
  ['a negative total', { effectiveOn: '2021-01-01', paidSeats: -1 }, 'paidSeats'],
  ['half a seat', { effectiveOn: '2021-01-01', paidSeats: 1.5 }, 'paidSeats'],
  ['no such day', { effectiveOn: '2021-02-30', paidSeats: 1 }, 'effectiveOn'],
  ['a day before the contract', { effectiveOn: '2019-12-31', paidSeats: 1 }, 'effectiveOn'],
  ['an end before it begins', { effectiveOn: '2021-01-01', endsOn: '2020-12-31' }, 'endsOn'],
  ['an unknown field', { effectiveOn: '2021-01-01', seats: 1 }, 'seats'],
])('an amendment of %s is refused', async (_what, body, field) => {
  const { status, body: problem } = await amend(body);
  expect([status, problem.field], problem.detail).toEqual([400, field]);
  expect((await gateway.api('GET', `${base}/amendments`)).body.items).toEqual([]);
});

it.each([
  ['a kind that is none', { kind: 'bonus', startsOn: '2021-01-01', paidSeats: 1 }, 'kind'],
  ['no seats', { kind: 'add_on', startsOn: '2021-01-01', paidSeats: 0 }, 'paidSeats'],
  ['reversed days', { kind: 'add_on', startsOn: '2021-01-01', endsOn: '2020-12-31', paidSeats: 1 }, 'endsOn'],
  [
    'a ramp that ends',
    { kind: 'ramp', startsOn: '2021-01-01', endsOn: '2021-12-31', paidSeats: 1 },
    'endsOn',
  ],
  ['a day before the contract', { kind: 'ramp', startsOn: '2019-01-01', paidSeats: 1 }, 'startsOn'],
])('a line with %s is refused', async (_what, body, field) => {
  const { status, body: problem } = await add(body);
  expect([status, problem.field], problem.detail).toEqual([400, field]);
});

it.each([
  'javascript:alert(1)',
  'data:text/html,x',
  'billing.example.com',
  'https://',
  ' https://x.example',
  '',
])('of a base with the billing portal %j are refused', async (billingPortalUrl) => {
  const { status, body } = await gateway.api('PUT', base, { ...contract, billingPortalUrl });
  expect([status, body.field]).toEqual([400, 'billingPortalUrl']);
  const link = { billingPortalUrl: 'https://billing.example.com/acme?x=1' };
  expect((await gateway.api('PUT', base, { ...contract, ...link })).body).toMatchObject(link);
});

it('need a contract, and an operator', async () => {
  const { slug } = await gateway.createTenant();
  const { status, body } = await gateway.api('POST', `/tenants/${slug}/contract/amendments`, {
    ...{ effectiveOn: '2021-01-01', paidSeats: 1, reason },
  });
  expect([status, body.code]).toEqual([409, 'conflict']);
  const { key } = await made(gateway.api('POST', `/tenants/${slug}/keys`, { name: 'o', role: 'owner' }));
  const refused = await gateway.api('POST', `/tenants/${slug}/contract/lines`, {}, key);
  expect(refused.status).toBe(403);
});
