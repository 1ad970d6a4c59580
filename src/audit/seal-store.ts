/**
 * Reads what of the trail may be sealed, and what seals say. Rows of a transaction may be sealed once every transaction that began
 * before it is over: whatever is committed later has a greater `xid`, so that the order (`xid`, `seq`) is final.
 *
 * After a dump was restored into another cluster, `xid`s begin again while `seq` goes on. A row with an `xid` that is still to come is
 * of the former cluster. What is left of it is sealed, then an empty seal ends the era: of later ones are the rows behind its `seq`.
 */

import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { AuditSeal, ReadSeal } from './audit-seal.ts';

/** Of one seal; a batch counts as fifty. */
const rowsPerSeal = 1000;
/** Read in one transaction, of seals: their number, and about how many entries. */
const sealsAtOnce = 200;
const entriesAtOnce = 20_000;
const unsealedMax = 100_000;
const greatest = sql.raw('9223372036854775807');
/** What a window that has none before it begins behind: nothing can be put before it unseen. */
const least = sql.raw('(-9223372036854775808)');

/** Of later eras are the rows behind it; of the first one all. */
const above = (afterSeq: RawBuilder<unknown>) =>
  sql`case when ${afterSeq} > 0 then ${afterSeq} else ${least} end`;

export async function findUnsealedTenants(
  database: Database,
  after: string,
  most: number,
): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_unsealed_tenants(${after}::uuid, ${most})`,
  );
  return rows.map(({ tenant_id: id }) => id);
}

/** Where the seal that comes next begins. */
function start({ tenantId }: TenantTransaction): RawBuilder<unknown> {
  return sql`(
    select coalesce(s.number, 0) as number, coalesce(s.hash, '') as hash, s.newest_at, coalesce(s.top_seq, 0) as top_seq,
      case when s.xid < ${greatest} then s.xid else ${least} end as xid, case when s.xid < ${greatest} then s.seq else ${least} end as seq,
      coalesce(case when s.xid < ${greatest} then s.after_seq else s.top_seq end, 0) as after_seq
    from (values (1)) one
    left join (select * from audit_seals where tenant_id = ${tenantId} order by number desc limit 1) s on true)`;
}

/** The seal that comes next, without a signature; undefined: there is nothing to be sealed. */
export async function selectNextSeal(tx: TenantTransaction, now: Date): Promise<AuditSeal | undefined> {
  const tenantId = sql`${tx.tenantId}::uuid`;
  const [next] = await tx.run(sql<AuditSeal>`
    with start as materialized (
      select * from ${start(tx)} s cross join (
        select pg_snapshot_xmin(p)::text::bigint as oldest_xid, pg_snapshot_xmax(p)::text::bigint as coming_xid from pg_current_snapshot() p) now
    ), newest as materialized (
      (select xid, seq from audit_events where tenant_id = ${tenantId} order by xid desc, seq desc limit 1) union all
      (select xid, first_seq from audit_batches where tenant_id = ${tenantId} order by xid desc, first_seq desc limit 1)
    ), era as materialized (
      select *, case when xid >= coming_xid or exists (select from newest n where n.xid >= coming_xid and n.seq > after_seq) then greatest(top_seq,
        (select max(e.seq) from audit_events e where e.tenant_id = ${tenantId} and e.xid >= coming_xid and e.seq > after_seq),
        (select max(b.first_seq) from audit_batches b where b.tenant_id = ${tenantId} and b.xid >= coming_xid and b.first_seq > after_seq))
        end as former_seq
      from start
    ), sealable as (
      select r.*, sum(r.weight) over (order by r.xid, r.seq) as weights from era e cross join lateral audit_rows(
        ${tenantId}, e.xid, e.seq, case when e.former_seq is null then e.oldest_xid - 1 else ${greatest} end, ${greatest},
        ${above(sql`e.after_seq`)}, coalesce(e.former_seq, ${greatest}), ${rowsPerSeal}) r
    ), sealed as (
      select count(*) as rows, coalesce(sum(entries), 0)::integer as entries, max(at) as newest_at, max(seq) as top_seq,
        coalesce((array_agg(xid order by xid desc, seq desc))[1], ${greatest}) as xid,
        coalesce((array_agg(seq order by xid desc, seq desc))[1], ${greatest}) as seq,
        string_agg(hash, ''::bytea order by xid, seq) as hashes
      from sealable where weights <= ${rowsPerSeal}
    ), next as (
      select e.number + 1 as number, s.xid, s.seq, e.after_seq, greatest(e.top_seq, s.top_seq, case when s.rows = 0 then e.former_seq end) as top_seq,
        s.entries, greatest(e.newest_at, s.newest_at) as newest_at, e.hash as previous, s.hashes
      from era e cross join sealed s where s.rows > 0 or e.former_seq is not null
    )
    select number, xid::text, seq::text, after_seq::text as "afterSeq", top_seq::text as "topSeq", entries, newest_at as "newestAt",
      ${now}::timestamptz as "sealedAt",
      encode(audit_seal_hash(previous, number, xid, seq, after_seq, top_seq, hashes), 'hex') as hash
    from next`);
  return next;
}

/** Answers whether it is this one that follows: another gateway may have been faster. */
export async function insertSeal(tx: TenantTransaction, seal: AuditSeal, mac: string): Promise<boolean> {
  const { number, xid, seq, afterSeq, topSeq, entries, sealedAt, newestAt, hash } = seal;
  const inserted = await tx.count(sql`
    insert into audit_seals (tenant_id, number, xid, seq, after_seq, top_seq, entries, sealed_at, newest_at, hash, mac)
    values (${tx.tenantId}, ${number}, ${xid}::bigint, ${seq}::bigint, ${afterSeq}::bigint, ${topSeq}::bigint, ${entries},
      ${sealedAt}, ${newestAt}, decode(${hash}, 'hex'), decode(${mac}, 'hex'))
    on conflict do nothing`);
  return inserted === 1;
}

const shown = sql`s.number, s.xid::text, s.seq::text, s.after_seq::text as "afterSeq", s.top_seq::text as "topSeq", s.entries,
  s.sealed_at as "sealedAt", s.newest_at as "newestAt", encode(s.hash, 'hex') as hash`;

export async function selectSeal(tx: TenantTransaction, number: number): Promise<AuditSeal | undefined> {
  const [seal] = await tx.run(
    sql<AuditSeal>`select ${shown} from audit_seals s where s.tenant_id = ${tx.tenantId} and s.number = ${number}`,
  );
  return seal;
}

/** Those that follow, with what their windows hold now: as many as are read within a moment. */
export function selectReadSeals(tx: TenantTransaction, after: number): Promise<ReadSeal[]> {
  const tenantId = sql`${tx.tenantId}::uuid`;
  return tx.run(sql<ReadSeal>`
    select ${shown}, encode(s.mac, 'hex') as mac, r.found, encode(r.hash, 'hex') as "foundHash"
    from (
      select *, sum(n.entries) filter (where n.number > ${after}) over (order by n.number) - n.entries as earlier, lag(n.hash) over (order by n.number) as previous,
        lag(case when n.xid < ${greatest} then n.xid end) over (order by n.number) as low_xid,
        lag(case when n.xid < ${greatest} then n.seq end) over (order by n.number) as low_seq
      from (select * from audit_seals where tenant_id = ${tenantId} and number >= ${after} order by number limit ${sealsAtOnce + 1}) n
    ) s
    cross join lateral (
      select coalesce(sum(w.entries), 0)::integer as found, audit_seal_hash(coalesce(s.previous, ''), s.number, s.xid, s.seq, s.after_seq,
        s.top_seq, string_agg(w.hash, ''::bytea order by w.xid, w.seq)) as hash
      from audit_rows(${tenantId}, coalesce(s.low_xid, ${least}), coalesce(s.low_seq, ${least}),
        s.xid, s.seq, ${above(sql`s.after_seq`)}, coalesce((select c.top_seq from audit_seals c where c.tenant_id = ${tenantId}
          and c.xid = ${greatest} and c.number >= s.number order by c.number limit 1), ${greatest}), ${rowsPerSeal + 1}) w
    ) r
    where s.number > ${after} and s.earlier < ${entriesAtOnce} order by s.number`);
}

/** Entries that no seal covers yet, counted up to a hundred thousand rows. */
export async function countUnsealed(tx: TenantTransaction): Promise<number> {
  const tenantId = sql`${tx.tenantId}::uuid`;
  const [row] = await tx.run(sql<{ count: number }>`
    with start as materialized (select * from ${start(tx)} s)
    select coalesce(sum(n), 0)::integer as count from (
      (select 1 as n from audit_events e cross join start s
        where e.tenant_id = ${tenantId} and (e.xid, e.seq) > (s.xid, s.seq) and e.seq > ${above(sql`s.after_seq`)} limit ${unsealedMax})
      union all
      (select cardinality(b.subjects) from audit_batches b cross join start s
        where b.tenant_id = ${tenantId} and (b.xid, b.first_seq) > (s.xid, s.seq) and b.first_seq > ${above(sql`s.after_seq`)} limit ${unsealedMax})
    ) unsealed`);
  return row?.count ?? 0;
}
