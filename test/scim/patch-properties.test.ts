/**
 * PATCH over HTTP as the model says (core/patch-model.ts): what GET shows afterwards, that a refused request and one
 * that changes nothing leave the version alone, and that a group holds the members a set would.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { badOperation, nest, operation, resource } from './core/patch-arbitraries.ts';
import { modelPatch, Refused, type Resource, type Step } from './core/patch-model.ts';
import { coreGroup, coreUser, patchBody } from './core/support.ts';

const numRuns = Math.max(30, Number(process.env.FUZZ_RUNS ?? 0));
const timeout = Math.max(60_000, numRuns * 500);

let gateway: TestGateway;
let token: string;
const scim = (method: string, path: string, body?: unknown) => gateway.scim(token, method, path, body);

beforeAll(async () => {
  gateway = await startGateway();
  token = await (await gateway.createTenant()).directoryToken('generic');
});

afterAll(() => gateway.close());

/** What a client wrote of the user, without what the gateway adds. */
function written(body: Record<string, unknown>): unknown {
  const { schemas: _, id: __, meta: ___, groups: ____, ...rest } = body;
  delete rest['urn:blue:params:scim:schemas:extension:provisioning:2.0:User'];
  return rest;
}

/** `active` is never without a value: whoever clears it leaves it as it was. */
function modelled(user: Resource, steps: readonly Step[]): Resource | 'refused' {
  try {
    return { active: user.active ?? true, ...modelPatch(user, steps) };
  } catch (error) {
    if (error instanceof Refused) return 'refused';
    throw error;
  }
}

/** A user for the time of the work. */
async function withUser(user: Resource, work: (path: string) => Promise<void>): Promise<void> {
  const made = await scim('POST', '/Users', { schemas: [coreUser], ...nest(user) });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  const path = `/Users/${made.body.id}`;
  try {
    await work(path);
  } finally {
    expect((await scim('DELETE', path)).status).toBe(204);
  }
}

describe('PATCH of a user', () => {
  const requests = fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 3,
  });

  it('is shown by GET as the model says; what changes nothing keeps the version', { timeout }, async () => {
    const property = fc.asyncProperty(resource, requests, (user, lists) =>
      withUser(user, async (path) => {
        let held: Resource = { active: true, ...user };
        for (const list of lists) {
          const before = (await scim('GET', path)).body;
          expect(written(before)).toEqual(nest(held));
          const wanted = modelled(
            held,
            list.flatMap(({ steps }) => steps),
          );
          const answer = await scim('PATCH', path, patchBody(list.map(({ wire }) => wire)));
          const after = (await scim('GET', path)).body;
          if (wanted === 'refused') {
            expect(answer.status).toBe(400);
            expect(after).toEqual(before);
            continue;
          }
          expect(answer.status, JSON.stringify(answer.body)).toBe(200);
          expect(answer.body).toEqual(after);
          expect(written(after)).toEqual(nest(wanted));
          const isSame = JSON.stringify(sorted(wanted)) === JSON.stringify(sorted(held));
          expect(after.meta.version === before.meta.version).toBe(isSame);
          held = wanted;
        }
      }),
    );
    await fc.assert(property, { numRuns });
  });

  it('with one bad operation changes nothing', { timeout }, async () => {
    const operations = fc.array(operation, { maxLength: 4 });
    const property = fc.asyncProperty(resource, operations, badOperation, fc.nat(4), (user, list, bad, at) =>
      withUser(user, async (path) => {
        const before = (await scim('GET', path)).body;
        const body = patchBody(list.map(({ wire }) => wire).toSpliced(at, 0, bad));
        expect((await scim('PATCH', path, body)).status).toBe(400);
        expect((await scim('GET', path)).body).toEqual(before);
      }),
    );
    await fc.assert(property, { numRuns });
  });
});

/** Members by their place in the list of people. */
type MemberStep =
  | { kind: 'add' | 'replace' | 'removeByValue' | 'removeByFilter'; of: number[] }
  | { kind: 'clear' };

const people = 12;
const some = fc.array(fc.nat(people - 1), { minLength: 1, maxLength: 5 });
const memberStep: fc.Arbitrary<MemberStep> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), of: some }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('removeByValue' as const), of: some }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('removeByFilter' as const), of: some }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('replace' as const), of: fc.array(fc.nat(people - 1)) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
);

function editSet(members: Set<number>, step: MemberStep): void {
  if (step.kind === 'clear' || step.kind === 'replace') members.clear();
  if (step.kind === 'add' || step.kind === 'replace') for (const one of step.of) members.add(one);
  if (step.kind === 'removeByValue' || step.kind === 'removeByFilter')
    for (const one of step.of) members.delete(one);
}

describe('PATCH of members', () => {
  const requests = fc.array(fc.array(memberStep, { minLength: 1, maxLength: 5 }), {
    minLength: 1,
    maxLength: 4,
  });
  let ids: string[];

  beforeAll(async () => {
    ids = [];
    for (let n = 0; n < people; n += 1) {
      const user = await scim('POST', '/Users', { schemas: [coreUser], userName: `member${n}@example.com` });
      ids.push(user.body.id);
    }
  });

  function wireOf(step: MemberStep): object {
    const path = 'members';
    if (step.kind === 'clear') return { op: 'remove', path };
    const value = step.of.map((one) => ({ value: ids[one] }));
    if (step.kind === 'removeByValue') return { op: 'remove', path, value };
    if (step.kind !== 'removeByFilter') return { op: step.kind, path, value };
    const filter = step.of.map((one) => `value eq "${ids[one]}"`).join(' or ');
    return { op: 'remove', path: `members[${filter}]` };
  }

  it('leaves those in the group whom a set would hold, in one request or several', { timeout }, async () => {
    const property = fc.asyncProperty(requests, fc.boolean(), async (lists, isOne) => {
      const group = await scim('POST', '/Groups', { schemas: [coreGroup], displayName: 'Set' });
      const path = `/Groups/${group.body.id}`;
      const members = new Set<number>();
      for (const list of isOne ? [lists.flat()] : lists) {
        for (const step of list) editSet(members, step);
        expect((await scim('PATCH', path, patchBody(list.map(wireOf)))).status).toBe(204);
        const { body } = await scim('GET', path);
        const held = (body.members ?? []).map(({ value }: { value: string }) => value);
        expect(held.toSorted()).toEqual([...members].map((one) => ids[one]).toSorted());
      }
      expect((await scim('DELETE', path)).status).toBe(204);
    });
    await fc.assert(property, { numRuns });
  });
});

/** With the names of every object in order, so that equal means equal as text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}
