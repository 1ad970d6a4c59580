/**
 * What this machine and its PostgreSQL can do at all, measured in the same run: a figure that is far from its floor is
 * the gateway's doing, one that is near it the machine's.
 */

import pg from 'pg';
import { rush } from '../clients.ts';
import { type Figures, quantile, secondsOf } from '../figure.ts';
import { clients } from './admission.ts';
import type { Size } from './size.ts';
import { differences } from './tally.ts';

const guarded = 'update bench_floor_pool set used = used + 1 where used < cap';
const alone = 200;

/** For the evaluation, and measured next to it: what else the machine does changes from minute to minute. */
export function measureWriteFloor(figures: Figures, url: string, size: Size): Promise<void> {
  return withPool(url, (pool) => measureWrite(figures, pool, size));
}

/** For the admission, likewise. */
export function measureAdmissionFloors(figures: Figures, url: string, size: Size): Promise<void> {
  return withPool(url, async (pool) => {
    await measureAlone(figures, pool);
    await measureTogether(figures, pool, size);
  });
}

async function withPool(url: string, work: (pool: pg.Pool) => Promise<void>): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: clients });
  pool.on('error', () => {});
  try {
    await pool.query('create table bench_floor_pool (used integer not null, cap integer not null)');
    await pool.query('create table bench_floor_rows (id uuid primary key, requested jsonb, effective jsonb)');
    await work(pool);
    await pool.query('drop table bench_floor_pool, bench_floor_rows');
  } finally {
    await pool.end();
  }
}

function measureAlone(figures: Figures, pool: pg.Pool): Promise<void> {
  const question = { id: 'floor.transaction', name: 'floor: one guarded update, alone, median' };
  return figures.measure({ ...question, unit: 'ms', aim: null }, async () => {
    await refill(pool, alone);
    const timesMs: number[] = [];
    for (let n = 0; n < alone; n += 1) timesMs.push((await secondsOf(() => pool.query(guarded))) * 1000);
    return { value: quantile(timesMs, 0.5) };
  });
}

function measureTogether(figures: Figures, pool: pg.Pool, { store }: Size): Promise<void> {
  const question = { id: 'floor.admission', name: `floor: the guarded update, ${clients} clients` };
  return figures.measure({ ...question, unit: '/s', aim: null }, async () => {
    await refill(pool, store.seats);
    const tries = Array.from({ length: store.people }, (_, at) => at);
    const { done, seconds } = await rush({ clients, secondsMax: 60 }, tries, () => pool.query(guarded));
    const { rows } = await pool.query('select used from bench_floor_pool');
    return { value: done / seconds, wrong: differences(rows[0], { used: Math.min(store.seats, done) }) };
  });
}

function measureWrite(figures: Figures, pool: pg.Pool, { users }: Size): Promise<void> {
  const question = { id: 'floor.write', name: `floor: one insert of ${users} rows as large as decisions` };
  return figures.measure({ ...question, unit: 's', aim: null }, async () => {
    const value = await secondsOf(() => pool.query(writing, [users, roles]));
    return { value };
  });
}

/** One document for all, so that nothing but the writing is measured; ids come in their order. */
const writing = `
  insert into bench_floor_rows
  select lpad(to_hex(n), 32, '0')::uuid, $2::jsonb, $2::jsonb from generate_series(1, $1::bigint) as n
`;

/** Three roles, about as many as people of the large tenant have. */
const roles = JSON.stringify(
  [1, 2, 3].map((n) => ({
    role: 'team_member',
    billing: 'paid',
    workspace: `workspace-${n}`,
    via: 'MAPPING:00000000-0000-7000-8000-000000000000',
  })),
);

async function refill(pool: pg.Pool, cap: number): Promise<void> {
  await pool.query('delete from bench_floor_pool');
  await pool.query('insert into bench_floor_pool values (0, $1)', [cap]);
}
