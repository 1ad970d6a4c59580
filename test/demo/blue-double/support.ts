/** A caller for the double that speaks plain GraphQL over HTTP, and a seed with people of every kind. */

import { type BlueDouble, type BlueSeed, startBlueDouble } from '../../../demo/blue-double/server.ts';

export const start = new Date('2026-03-02T09:00:00Z');

export class TestClock {
  #now = start;
  now(): Date {
    return this.#now;
  }
  advance(ms: number): void {
    this.#now = new Date(this.#now.getTime() + ms);
  }
}

export const hour = 60 * 60 * 1000;
export const day = 24 * hour;

const people = [
  { id: 'owner', email: 'owner@acme.example', firstName: 'Olga', lastName: 'Owner' },
  { id: 'amy', email: 'amy@acme.example', firstName: 'Amy', lastName: 'Admin' },
  { id: 'max', email: 'max@acme.example', firstName: 'Max', lastName: 'Member' },
  { id: 'vic', email: 'vic@acme.example', firstName: 'Vic', lastName: 'Viewer' },
] as const;

export function seedOf(change: Partial<BlueSeed> = {}): BlueSeed {
  return {
    organization: { id: 'org', slug: 'acme', name: 'Acme', ownerId: 'owner', userLimit: null },
    people: [
      { ...people[0] },
      { ...people[1], companyLevel: 'ADMIN', memberships: [{ workspaceId: 'w1', level: 'ADMIN' }] },
      { ...people[2], memberships: [{ workspaceId: 'w1', level: 'MEMBER' }] },
      { ...people[3], memberships: [{ workspaceId: 'w2', level: 'VIEW_ONLY' }] },
    ],
    workspaces: [
      { id: 'w1', slug: 'one', name: 'One', customRoles: [{ id: 'r1', name: 'Reviewer' }] },
      { id: 'w2', slug: 'two', name: 'Two' },
      { id: 'w3', slug: 'three', name: 'Three', ownerIsIn: false },
    ],
    tokens: people.map(({ id }) => ({ uid: `t-${id}`, secret: `pat_${id}`, userId: id })),
    rate: { key: 100_000, user: 100_000, organization: 100_000 },
    ...change,
  };
}

type Fields = Record<string, unknown>;

export interface Reply {
  status: number;
  headers: Headers;
  /** The whole answer, and its `data`. */
  body: Fields;
  data: unknown;
  /** The first error and its code. */
  error: Fields | undefined;
  code: unknown;
  /** A place below `data`, names separated by dots; rows where it is a list. */
  read(path: string): unknown;
  rows(path: string): Fields[];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function placeIn(value: unknown, path: string): unknown {
  return path.split('.').reduce((at: unknown, name) => (isFields(at) ? at[name] : undefined), value);
}

function replyOf(status: number, headers: Headers, body: Fields): Reply {
  const error = placeIn(body, 'errors.0');
  const read = (path: string) => placeIn(body.data, path);
  return {
    status,
    headers,
    body,
    data: body.data,
    error: isFields(error) ? error : undefined,
    code: placeIn(error, 'extensions.code'),
    read,
    rows: (path) => {
      const list = read(path);
      return Array.isArray(list) ? list : [];
    },
  };
}

export type Caller = (
  query: string,
  variables?: Record<string, unknown>,
  headers?: Record<string, string>,
) => Promise<Reply>;

export function callerOf(double: BlueDouble, userId = 'owner'): Caller {
  return async (query, variables = {}, headers = {}) => {
    const response = await fetch(double.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'blue-token-id': `t-${userId}`,
        'blue-token-secret': `pat_${userId}`,
        'blue-org-id': 'org',
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(5000),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return replyOf(response.status, response.headers, isJson ? JSON.parse(text) : {});
  };
}

export async function open(change: Partial<BlueSeed> = {}) {
  const clock = new TestClock();
  const double = await startBlueDouble({ seed: seedOf(change), clock });
  return { clock, double, state: double.state, call: callerOf(double) };
}

export const invite = 'mutation ($input: InviteUserInput!) { inviteUser(input: $input) }';
export const inWorkspace = (id: string) => ({ 'blue-workspace-id': id });
