/** The recorder keeps out of the way: of requests, of a database that is away, and of a process that ends. */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Connection, type Database } from '../../src/db/database.ts';
import type { DirectoryId, TenantId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import type { RecordedRequest } from '../../src/requests/recorded-request.ts';
import { Recorder } from '../../src/requests/recorder-task.ts';
import { RequestQueue } from '../../src/requests/request-queue.ts';

const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

/** A database that takes calls down, while `answer` does not throw. */
function fakeDatabase(answer: () => unknown) {
  const written: string[][] = [];
  class FakeConnection extends Connection {
    override async send(text: string, values: readonly unknown[] = []) {
      if (/insert into recorded_requests/.test(text)) {
        const rows: RecordedRequest[] = JSON.parse(String(values[1]));
        written.push(rows.map(({ id }) => id));
      }
      return { rows: [], rowCount: 0, command: text, oid: 0, fields: [] };
    }
  }
  const database: Database = {
    run: () => Promise.reject(new Error('not here')),
    withConnection: async (work) => {
      await answer();
      return await work(new FakeConnection());
    },
    close: async () => {},
  };
  return { database, written };
}

function recorderOf(answer: () => unknown) {
  const { database, written } = fakeDatabase(answer);
  const state = { dropped: 0, warnings: 0 };
  const recorder = new Recorder({
    database,
    log: {
      warn: () => {
        state.warnings += 1;
      },
    },
    onDropped: (count) => {
      state.dropped += count;
    },
  });
  return { recorder, written, state };
}

const record = (id: string, over: Partial<RecordedRequest> = {}): RecordedRequest => ({
  ...{ tenantId: 't' as TenantId, id, at: '2026-01-01T00:00:00.000Z', directory_id: 'd' as DirectoryId },
  ...{ token_id: 'k', request_id: 'r', method: 'GET', path: '/', query: '', user_agent: null },
  ...{
    request_body: null,
    status: 200,
    response_body: null,
    duration_ms: 1,
    subject: null,
    truncated: false,
  },
  ...over,
});
const many = (count: number) => Array.from({ length: count }, (_, n) => record(String(n)));

it('waits a little, and writes one statement a tenant', async () => {
  const { recorder, written } = recorderOf(() => {});
  recorder.add(record('a'));
  recorder.add(record('b', { tenantId: 'u' as TenantId }));
  recorder.add(record('c'));
  await sleep(100);
  expect(written).toEqual([]);
  await sleep(300);
  expect(written).toEqual([['a', 'c'], ['b']]);
  await recorder.stop();
});

it('does not wait when there are many', async () => {
  const { recorder, written } = recorderOf(() => {});
  for (const one of many(1190)) recorder.add(one);
  await sleep(100);
  expect(written.flat()).toHaveLength(1000);
  await recorder.stop();
  expect(written.flat()).toEqual(many(1190).map(({ id }) => id));
  expect(Math.max(...written.map(({ length }) => length))).toBe(limits.recorderBatchEntriesMax);
});

it('keeps what a database that is away does not take, up to its bounds', async () => {
  let isAway = true;
  const { recorder, written, state } = recorderOf(() => {
    if (isAway) throw away;
  });
  for (const one of many(limits.recorderQueueEntriesMax + 7)) recorder.add(one);
  expect(state.dropped).toBe(7);
  await sleep(1000);
  expect([written.length, state.dropped, state.warnings]).toEqual([0, 7, 1]);
  isAway = false;
  await sleep(2500);
  const ids = written.flat().map(Number);
  expect(ids.toSorted((a, b) => a - b)).toEqual([...Array(limits.recorderQueueEntriesMax).keys()]);
  await recorder.stop();
  expect(state.dropped).toBe(7);
});

it('drops what the database refuses, and goes on', async () => {
  let calls = 0;
  const { recorder, written, state } = recorderOf(() => {
    calls += 1;
    if (calls === 1) throw Object.assign(new Error('no such tenant'), { code: '23503' });
  });
  recorder.add(record('a'));
  recorder.add(record('b', { tenantId: 'u' as TenantId }));
  await recorder.stop();
  expect([written, state]).toEqual([[['b']], { dropped: 1, warnings: 1 }]);
});

it('lets a tenant whose rows do not get in hold up nobody else', async () => {
  let calls = 0;
  const { recorder, written, state } = recorderOf(() => {
    calls += 1;
    if (calls % 2 === 1 && calls < 6) throw Object.assign(new Error('out of time'), { code: '57014' });
  });
  recorder.add(record('a'));
  recorder.add(record('b', { tenantId: 'u' as TenantId }));
  await sleep(1200);
  expect(written).toEqual([['b']]);
  await recorder.stop();
  expect([written, state.dropped]).toEqual([[['b'], ['a']], 0]);
});

it('ends within two seconds, whatever the database does', async () => {
  for (const answer of [() => sleep(60_000, undefined, { ref: false }), () => Promise.reject(away)]) {
    const { recorder, state } = recorderOf(answer);
    recorder.add(record('a'));
    await sleep(300);
    recorder.add(record('b'));
    const start = performance.now();
    await recorder.stop();
    expect(performance.now() - start).toBeLessThan(limits.recorderStopMsMax + 500);
    expect(state.dropped).toBe(2);
    recorder.add(record('c'));
    expect(state.dropped).toBe(3);
  }
});

it('bounds the queue by bytes, and a batch too', () => {
  const queue = new RequestQueue();
  const large = (id: string) => record(id, { request_body: 'x'.repeat(1024 * 1024) });
  const taken = Array.from({ length: 20 }, (_, n) => queue.add(large(String(n)))).filter(
    (isTaken) => isTaken,
  );
  expect(taken).toHaveLength(15);
  const batch = queue.batch();
  expect(batch).toHaveLength(3);
  queue.remove(batch);
  expect(queue.size).toBe(12);
  expect([
    queue.add(large('a')),
    queue.add(large('b')),
    queue.add(large('c')),
    queue.add(large('d')),
  ]).toEqual([...[true, true, true, false]]);
  const huge = new RequestQueue();
  huge.add(record('a', { request_body: 'x'.repeat(5 * 1024 * 1024) }));
  expect(huge.batch()).toHaveLength(1);
});
