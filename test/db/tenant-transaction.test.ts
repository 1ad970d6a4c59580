/**
 * A tenant's transaction: all or nothing, repeated when the database says so, one round trip for what is sent together,
 * never on a broken connection, and with nothing of another tenant in sight.
 */

import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { db } from '../../src/db/database.ts';
import {
  atOnce,
  brokenConstraint,
  inTenant,
  Restart,
  type TenantTransaction,
} from '../../src/db/tenant-transaction.ts';
import { newId, type TenantId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const now = new Date('2026-01-31T08:00:00Z');
const [one, two] = [newId<TenantId>(1), newId<TenantId>(2)];
let test: TestDatabase;
const statements: string[] = [];
const waits: string[] = [];

beforeAll(async () => {
  test = await testDatabase({
    onStatement: (text) => statements.push(text),
    onWait: (text) => waits.push(text),
  });
  for (const [id, slug] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    await inTenant(test.database, id, async (tx) => {
      tx.send(sql`insert into tenants values (${id}, ${slug}, ${slug}, ${now}, 'x')`);
    });
  }
});

afterAll(() => test.close());

beforeEach(() => {
  statements.length = 0;
  waits.length = 0;
});

const rename = (name: string) => sql`update tenants set name = ${name}`;
const insertKey = (id: string) =>
  db.insertInto('api_keys').values({
    ...{ tenant_id: one, id, name: 'x', role: 'admin', key_hash: 'h', created_at: now, expires_at: null },
  });
const selectNames = sql<{ name: string }>`select name from tenants order by name`;

async function names(tenant: TenantId): Promise<string[]> {
  return (await inTenant(test.database, tenant, (tx) => tx.run(selectNames))).map(({ name }) => name);
}

/** A PostgreSQL error of that code, as the server sends it. */
const fail = (code: string) => sql.raw<never>(`do $$ begin raise exception sqlstate '${code}'; end $$`);

describe('a transaction', () => {
  it('keeps everything, and answers what its work answers', async () => {
    const answer = await inTenant(test.database, one, async (tx) => {
      expect(await tx.count(rename('first'))).toBe(1);
      return 7;
    });
    expect(answer).toBe(7);
    expect(await names(one)).toEqual(['first']);
  });

  it('keeps nothing when its work throws, and throws the same', async () => {
    const error = new Error('no');
    const work = async (tx: TenantTransaction) => {
      tx.send(rename('lost'));
      throw error;
    };
    await expect(inTenant(test.database, one, work)).rejects.toBe(error);
    expect(await names(one)).toEqual(['first']);
  });

  it('fails when a statement that was only sent fails, with the reason of that one', async () => {
    const id = newId<string>(3);
    const work = async (tx: TenantTransaction) => {
      tx.send(rename('lost'));
      tx.send(insertKey(id));
      tx.send(insertKey(id));
      tx.send(rename('lost too'));
    };
    const error = await inTenant(test.database, one, work).catch((reason) => reason);
    expect(brokenConstraint(error)).toBe('api_keys_pkey');
    expect(await names(one)).toEqual(['first']);
  });

  it('says what went wrong first, not that it went wrong', async () => {
    const work = async (tx: TenantTransaction) => {
      tx.send(fail('22012'));
      await tx.run(selectNames);
    };
    await expect(inTenant(test.database, one, work)).rejects.toMatchObject({ code: '22012' });
  });

  it('can’t be kept by work that swallows a failure', async () => {
    const work = async (tx: TenantTransaction) => {
      tx.send(rename('lost'));
      await tx.run(fail('22012')).catch(() => {});
    };
    await expect(inTenant(test.database, one, work)).rejects.toMatchObject({ code: '22012' });
    expect(await names(one)).toEqual(['first']);
  });

  it('leaves the connection without role and tenant', async () => {
    await names(one);
    const [row] = await test.database.run(
      sql<{ user: string; tenant: string | null }>`
        select current_user as user, nullif(current_setting('app.tenant_id', true), '') as tenant`,
    );
    expect(row).toEqual({ user: new URL(test.url).username, tenant: null });
  });
});

describe('round trips', () => {
  it('are one for what is sent together: begin, tenant, work and commit', async () => {
    await inTenant(test.database, one, async (tx) => {
      tx.send(rename('first'));
      tx.send(rename('first'));
    });
    expect(statements).toHaveLength(5);
    expect(waits).toEqual(['BEGIN']);
  });

  it('are one more for each wait', async () => {
    await inTenant(test.database, one, async (tx) => {
      await Promise.all([tx.run(selectNames), tx.run(selectNames)]);
      tx.send(rename('first'));
      await tx.run(selectNames);
    });
    expect(waits.map((text) => text.slice(0, 6))).toEqual(['BEGIN', 'update', 'COMMIT']);
  });

  it('are one for reads that are all sent at once', async () => {
    const read = await atOnce(test.database, one, (tx) =>
      Promise.all([tx.run(selectNames), tx.run(selectNames)]),
    );
    expect(read.flat()).toHaveLength(2);
    expect(waits).toEqual(['BEGIN']);
  });
});

describe('COMMIT that travels with what was sent', () => {
  it('keeps it, whatever the work throws afterwards', async () => {
    const work = inTenant(test.database, one, async (tx) => {
      tx.send(rename('sent'));
      tx.commit();
      throw new Error('too late');
    });
    await expect(work).rejects.toThrow('too late');
    expect(await names(one)).toEqual(['sent']);
    expect(statements).not.toContain('ROLLBACK');
  });

  it('keeps nothing where a statement failed, and says why', async () => {
    const work = atOnce(test.database, one, async (tx) => {
      tx.send(rename('lost'));
      return await tx.run(fail('22000'));
    });
    await expect(work).rejects.toMatchObject({ code: '22000' });
    expect(await names(one)).not.toContain('lost');
  });

  it('is made again where the database says so', async () => {
    let tries = 0;
    await atOnce(test.database, one, async (tx) => {
      tries += 1;
      tx.send(rename(`try ${tries}`));
      if (tries < 3) tx.send(fail('40001'));
    });
    expect(await names(one)).toEqual(['try 3']);
  });

  it('is followed by nothing', async () => {
    const work = atOnce(test.database, one, async (tx) => {
      await tx.run(selectNames);
      await tx.run(selectNames);
    });
    await expect(work).rejects.toThrow('nothing follows COMMIT');
  });
});

describe('repetition', () => {
  it.each(['40001', '40P01'])('of what failed by %s ends well', async (code) => {
    let tries = 0;
    await inTenant(test.database, one, async (tx) => {
      tries += 1;
      tx.send(rename(`try ${tries}`));
      if (tries < 3) await tx.run(fail(code));
    });
    expect(tries).toBe(3);
    expect(await names(one)).toEqual(['try 3']);
  });

  it('begins again at a Restart, and keeps nothing of the first try', async () => {
    let tries = 0;
    await inTenant(test.database, one, async (tx) => {
      tries += 1;
      if (tries === 2) return;
      tx.send(rename('lost'));
      throw new Restart();
    });
    expect(await names(one)).toEqual(['try 3']);
  });

  it('ends after so many tries', async () => {
    let tries = 0;
    const work = async (tx: TenantTransaction) => {
      tries += 1;
      await tx.run(fail('40001'));
    };
    await expect(inTenant(test.database, one, work)).rejects.toMatchObject({ code: '40001' });
    expect(tries).toBe(limits.transactionTriesMax);
  });

  it('is not for other failures', async () => {
    let tries = 0;
    const work = async (tx: TenantTransaction) => {
      tries += 1;
      await tx.run(fail('23514'));
    };
    await expect(inTenant(test.database, one, work)).rejects.toMatchObject({ code: '23514' });
    expect(tries).toBe(1);
  });

  it('resolves a real deadlock: both writers end, and both have written', async () => {
    const ids = [newId<string>(4), newId<string>(5)];
    await inTenant(test.database, one, async (tx) => {
      for (const id of ids) tx.send(insertKey(id));
    });
    let arrived = 0;
    let open = () => {};
    const both = new Promise<void>((done) => {
      open = done;
    });
    const write = (order: string[], tail: string) =>
      inTenant(test.database, one, async (tx) => {
        const [near = '', far = ''] = order;
        const add = (id: string) => sql`update api_keys set name = name || ${tail} where id = ${id}`;
        await tx.run(add(near));
        arrived += 1;
        if (arrived === 2) open();
        await both;
        await tx.run(add(far));
      });
    await Promise.all([write(ids, 'a'), write(ids.toReversed(), 'b')]);
    const rows = await inTenant(test.database, one, (tx) =>
      tx.run(sql<{ name: string }>`select name from api_keys where id = any(${ids}::uuid[])`),
    );
    expect(rows.map(({ name }) => [...name].sort().join(''))).toEqual(['abx', 'abx']);
  });
});

describe('a connection that breaks', () => {
  it('fails the transaction, is thrown away, and the next one is good', async () => {
    const small = await testDatabase({ poolSize: 1 });
    const admin = new pg.Client({ connectionString: small.url });
    await admin.connect();
    const work = async (tx: TenantTransaction) => {
      const [row] = await tx.run(sql<{ pid: number }>`select pg_backend_pid() as pid`);
      await admin.query('select pg_terminate_backend($1)', [row?.pid]);
      await tx.run(sql`select pg_sleep(5)`);
    };
    await expect(inTenant(small.database, one, work)).rejects.toThrow(/terminat|connection error/i);
    expect(await inTenant(small.database, one, (tx) => tx.run(sql<{ n: number }>`select 1 as n`))).toEqual([
      { n: 1 },
    ]);
    await admin.end();
    await small.close();
  });
});

describe('two tenants', () => {
  it('don’t see, count, change or take away what is the other’s', async () => {
    expect(await names(two)).toEqual(['two']);
    const touched = await inTenant(test.database, two, async (tx) => [
      (await tx.run(sql`select from api_keys where tenant_id = ${one}`)).length,
      await tx.count(sql`update api_keys set name = 'stolen'`),
      await tx.count(sql`delete from api_keys where tenant_id = ${one}`),
    ]);
    expect(touched).toEqual([0, 0, 0]);
  });

  it('at the same time, on a pool of one connection, stay apart', async () => {
    const seen = await Promise.all(
      Array.from({ length: 40 }, (_, n) => names(n % 2 === 0 ? one : two).then(([name]) => [n % 2, name])),
    );
    expect(new Set(seen.map((pair) => pair.join(' ')))).toEqual(new Set(['0 try 3', '1 two']));
  });

  it('write no row of the other', async () => {
    const work = async (tx: TenantTransaction) => tx.send(insertKey(newId<string>(6)));
    await expect(inTenant(test.database, two, work)).rejects.toMatchObject({ code: '42501' });
  });
});

it('a query is never run by its builder', async () => {
  await expect(db.selectFrom('tenants').selectAll().execute()).rejects.toThrow('Database.run');
});

it('numbers and days come as what they are', async () => {
  const [row] = await test.database.run(
    sql<{ big: number; day: string; at: Date }>`
      select 9007199254740991::bigint as big, date '2026-02-28' as day, timestamptz '2026-01-31T08:00:00Z' as at`,
  );
  expect(row).toEqual({ big: Number.MAX_SAFE_INTEGER, day: '2026-02-28', at: now });
});
