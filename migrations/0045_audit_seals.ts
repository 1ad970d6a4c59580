import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** The trail is chained: seals over its rows, by which whoever changes them later is found. Forward only; rows that are there stay. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [order, xids, seals]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['audit_seals']);
  for (const statement of [rights, hashes, work]) await sql.raw(statement).execute(db);
}

const order = `
  -- As whoever writes locks them.
  lock table seat_pools in access exclusive mode;
`;

/** What is there is of this transaction: a default that is the same for all rows is kept once, and no row is written anew. */
const xids = `
  alter table audit_events add column xid bigint not null default (pg_current_xact_id()::text::bigint);
  alter table audit_batches add column xid bigint not null default (pg_current_xact_id()::text::bigint);
  create index audit_events_chain on audit_events (tenant_id, xid, seq);
  create index audit_batches_chain on audit_batches (tenant_id, xid, first_seq);
`;

const seals = `
  -- Append-only. A seal covers the rows of both tables behind (xid, seq) of the one before and up to its own, in that order. What is
  -- committed later than its xid began has a greater one, so that nothing comes between.
  create table audit_seals (
    tenant_id uuid not null,
    number    bigint not null,
    -- Both the greatest there are: the seal ends an era (audit/seal-store.ts), and the next one begins at the least.
    xid       bigint not null,
    seq       bigint not null,
    -- Of earlier eras are the rows up to this seq.
    after_seq bigint not null,
    -- The greatest that is sealed.
    top_seq   bigint not null,
    -- A batch has one for each person.
    entries   integer not null,
    sealed_at timestamptz not null,
    -- Of the entries up to here.
    newest_at timestamptz not null,
    hash      bytea not null,
    mac       bytea not null,
    primary key (tenant_id, number),
    constraint audit_seals_sizes check (octet_length(hash) = 32 and octet_length(mac) = 32)
  );
  create index audit_seals_eras on audit_seals (tenant_id, number) where xid = 9223372036854775807;
`;

const rights = `
  revoke update, delete on audit_seals from blue_gateway_request;
  create policy finder on audit_seals for select to blue_gateway_finder using (true);
  create policy finder on audit_events for select to blue_gateway_finder using (true);
  create policy finder on audit_batches for select to blue_gateway_finder using (true);
  grant select (tenant_id, number, xid, seq, after_seq, top_seq) on audit_seals to blue_gateway_finder;
  grant select (tenant_id, xid, seq) on audit_events to blue_gateway_finder;
  grant select (tenant_id, xid, first_seq) on audit_batches to blue_gateway_finder;
`;

const hashes = `
  -- The rows of a window in the order of the chain, each with the hash of all that it tells. What a row or a decision comes to have
  -- besides stays out where it is null: so what is sealed keeps its hash. A batch counts as fifty rows. xid stands there twice so that
  -- no plan takes the other index, which leads past all of the trail.
  create function audit_rows(tenant uuid, low_xid bigint, low_seq bigint, high_xid bigint, high_seq bigint, above bigint, up_to bigint,
    most integer) returns table (xid bigint, seq bigint, at timestamptz, entries integer, weight integer, hash bytea)
  language sql stable set timezone = 'UTC' set datestyle = 'ISO'
  begin atomic
    select w.xid, w.seq, w.at, w.entries, w.weight, sha256(convert_to(w.content, 'UTF8')) from (
      (select e.xid, e.seq, e.at, 1 as entries, 1 as weight,
        row('event', e.tenant_id, e.xid, e.seq, e.at, e.actor, e.action, e.subject, e.before, e.after,
          jsonb_strip_nulls(to_jsonb(e.decision_before)), jsonb_strip_nulls(to_jsonb(e.decision_after)), e.inputs, e.request_id)::text
          as content
      from audit_events e
      where e.tenant_id = tenant and e.xid between low_xid and high_xid and (e.xid, e.seq) > (low_xid, low_seq) and (e.xid, e.seq) <= (high_xid, high_seq)
        and e.seq > above and e.seq <= up_to
      order by e.xid, e.seq limit most)
      union all
      (select b.xid, b.first_seq, b.at, cardinality(b.subjects), 50,
        row('batch', b.tenant_id, b.xid, b.first_seq, b.at, b.actor, b.first_subject, b.last_subject, b.subjects,
          jsonb_strip_nulls(to_jsonb(b.changes)), b.inputs, b.request_id)::text
      from audit_batches b
      where b.tenant_id = tenant and b.xid between low_xid and high_xid and (b.xid, b.first_seq) > (low_xid, low_seq) and (b.xid, b.first_seq) <= (high_xid, high_seq)
        and b.first_seq > above and b.first_seq <= up_to
      order by b.xid, b.first_seq limit (most + 49) / 50)
    ) w order by w.xid, w.seq;
  end;

  create function audit_seal_hash(previous bytea, number bigint, xid bigint, seq bigint, after_seq bigint, top_seq bigint, of_rows bytea)
  returns bytea language sql stable
    return sha256(previous || convert_to(concat_ws(' ', number, xid, seq, after_seq, top_seq), 'UTF8') || coalesce(of_rows, ''));
`;

const work = `
  create function find_unsealed_tenants(after uuid, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    -- A few index look-ups for each tenant. What began later than the oldest that is under way is not looked at, or it would be found
    -- until that one ends; what has an xid that is still to come is of a former cluster.
    select t.tenant_id from tenants t
    cross join lateral (
      select pg_snapshot_xmin(s)::text::bigint as xmin, pg_snapshot_xmax(s)::text::bigint as xmax from pg_current_snapshot() s
    ) as now
    left join lateral (
      select case when s.xid < 9223372036854775807 then s.xid end as xid, s.seq,
        case when s.xid < 9223372036854775807 then s.after_seq else s.top_seq end as after_seq
      from audit_seals s where s.tenant_id = t.tenant_id order by s.number desc limit 1
    ) as last on true
    cross join lateral (
      select coalesce(last.xid, 0) as xid, case when last.xid is null then 0 else last.seq end as seq, coalesce(last.after_seq, 0) as after_seq
    ) as low
    where t.tenant_id > find_unsealed_tenants.after and (
      low.xid >= now.xmax
      or exists (select from audit_events e where e.tenant_id = t.tenant_id
        and (e.xid, e.seq) > (low.xid, low.seq) and e.xid < now.xmin and e.seq > low.after_seq)
      or exists (select from audit_batches b where b.tenant_id = t.tenant_id
        and (b.xid, b.first_seq) > (low.xid, low.seq) and b.xid < now.xmin and b.first_seq > low.after_seq)
      or (select e.xid >= now.xmax and e.seq > low.after_seq from audit_events e
        where e.tenant_id = t.tenant_id order by e.xid desc, e.seq desc limit 1)
      or (select b.xid >= now.xmax and b.first_seq > low.after_seq from audit_batches b
        where b.tenant_id = t.tenant_id order by b.xid desc, b.first_seq desc limit 1)
    )
    order by t.tenant_id limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_unsealed_tenants(uuid, integer) owner to blue_gateway_finder;
  revoke execute on function find_unsealed_tenants(uuid, integer) from public;
  grant execute on function find_unsealed_tenants(uuid, integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
