/** Imports over HTTP, for tests. */

import { type Answer, made, type TestGateway, type TestTenant } from '../support/gateway.ts';

/** Of the list of rows. */
export type Row = {
  line: number;
  outcome: string | null;
  code: string | null;
  detail: string;
  userId: string;
  seat: Seat;
};
type Seat = { state: string; position: number | null } | null;

/** A tenant with a contract, and files that are sent to it. */
export class Stage {
  readonly gateway: TestGateway;
  readonly tenant: TestTenant;
  readonly base: string;
  key: string;

  constructor(gateway: TestGateway, tenant: TestTenant) {
    this.gateway = gateway;
    this.key = gateway.operatorKey;
    this.tenant = tenant;
    this.base = `/tenants/${tenant.slug}`;
  }

  async contract(paidSeats: number, policy = 'queue'): Promise<void> {
    await made(
      this.gateway.api('PUT', `${this.base}/contract`, {
        ...{ kind: 'annual', tier: 'T', paidSeats, startsOn: '2026-01-01', endsOn: '2099-12-31' },
        ...{ paymentSchedule: 'annual', overage: { policy }, fallbackRole: 'view_only' },
      }),
    );
  }

  async send(file: string | Uint8Array<ArrayBuffer>, query = '', type = 'text/csv'): Promise<Answer> {
    const answer = await fetch(`${this.gateway.url}/api/v1${this.base}/imports${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': type },
      body: file,
    });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  }

  async done(file: string, query = ''): Promise<Answer['body']> {
    const { id } = await made(this.send(file, query));
    return await this.end(id);
  }

  async end(id: string): Promise<Answer['body']> {
    for (;;) {
      const one = await made(this.gateway.api('GET', `${this.base}/imports/${id}`));
      if (one.state !== 'running') return one;
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }

  async rows(id: string, query = ''): Promise<Row[]> {
    return (await made(this.gateway.api('GET', `${this.base}/imports/${id}/rows?limit=200${query}`))).items;
  }

  async user(name: string): Promise<Answer['body']> {
    return (await made(this.gateway.api('GET', `${this.base}/users?search=${name}`))).items[0];
  }
}

export async function stageOf(gateway: TestGateway, paidSeats = 10, policy = 'queue'): Promise<Stage> {
  const stage = new Stage(gateway, await gateway.createTenant());
  await stage.contract(paidSeats, policy);
  return stage;
}

/** What became of rows, with the seats of their people. */
export const told = (rows: readonly Row[]) => rows.map(({ outcome, seat }) => [outcome, seat?.state ?? null]);
