/**
 * Finds whose stored decision does not rest on what holds now, by numbers alone: nothing is locked, nothing written, no document
 * read. Whom it names is a hint of whom to decide for: deciding looks again. Whom it leaves out is relied on, and so is at which priority
 * each may come to claim (sure-flow.ts).
 */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Verdict } from '../licensing/desire.ts';
import { isValid, type Mapping, type Rules } from '../licensing/mapping.ts';
import { defaultPriority, type Pin, pinPriority } from '../licensing/pin.ts';
import type { Affected } from './affected.ts';
import { affectedIds } from './affected-sql.ts';
import {
  defaultPrint,
  duplicatePrint,
  mappingPrint,
  type Print,
  pinPrint,
  reclaimedPrint,
  type TermsPrints,
  verdictPrint,
} from './basis.ts';
import { noClaim, unknownPriority } from './differing.ts';
import { duplicates, exempt, joinDuplicate, type Looked } from './exempt-sql.ts';
import { areSeatsTaken, type Pool } from './pool.ts';

const peoplePerBuffer = 20_000;

/** By how much of it the comparison was made. */
export interface Comparing extends Pick<Pool, 'rules' | 'subPools'> {
  prints: TermsPrints;
  now: Date;
}

interface StoredPin extends Omit<Pin, 'until'> {
  user_id: UserId;
  until: Date | null;
}

/** What somebody said of a person's claim. */
interface Said {
  user_id: UserId;
  verdict: Verdict | null;
  isReclaimed: boolean;
}

/** Those whose ids are not before `from` and before `to`. */
export interface Part {
  from?: UserId | undefined;
  to?: UserId | undefined;
}

/** What is committed (pg_snapshot). */
export async function currentSnapshot(tx: TenantTransaction): Promise<string> {
  const [{ snapshot = '' } = {}] = await tx.run(
    sql<{ snapshot: string }>`select pg_current_snapshot()::text as snapshot`,
  );
  return snapshot;
}

/** The id in the middle of the affected; undefined: they are not more than `few`. Of everybody it is guessed from one in a hundred. */
export async function middleId(
  tx: TenantTransaction,
  affected: Affected,
  few: number,
): Promise<UserId | undefined> {
  const [from, share] = isOfAll(affected)
    ? [sql`users tablesample system (1) where tenant_id = ${tx.tenantId}`, 100]
    : [sql`(${affectedIds(tx, affected)}) a`, 1];
  const [row] = await tx.run(sql<{ middle: UserId | null }>`
    select case when count(*) > ${few / share}::double precision then percentile_disc(0.5) within group (order by id) end as middle from ${from}
  `);
  return row?.middle ?? undefined;
}

function isOfAll({ everyone, anybody }: Affected): boolean {
  return everyone === true || anybody === true;
}

/** Those of the affected whose decisions are not what they should be, in the order of their ids, packed as differing.ts reads them. */
export async function selectDiffering(
  tx: TenantTransaction,
  affected: Affected,
  comparing: Comparing,
  part: Part = {},
): Promise<Buffer[]> {
  const pinsRead = tx.run(sql<StoredPin>`
    select user_id, role, workspaces, until, reserved from pins
    where tenant_id = ${tx.tenantId} and (until is null or until > ${comparing.now})
  `);
  const saidRead = tx.run(sql<Said>`
    select user_id, case when v.user_id is not null then jsonb_build_object('via', v.via, 'isGranted', v.is_granted) end as verdict,
      r.user_id is not null as "isReclaimed"
    from (select * from seat_approvals where tenant_id = ${tx.tenantId}) v
    full join (select * from seat_reclaims where tenant_id = ${tx.tenantId} and state = 'taken') r using (user_id)
  `);
  const ownRead = tx.run(sql<{ role: string }>`
    select distinct default_role as role from users where tenant_id = ${tx.tenantId} and default_role is not null
  `);
  const [pinned, said, owned] = await Promise.all([pinsRead, saidRead, ownRead]);
  const scope = isOfAll(affected) ? undefined : affectedIds(tx, affected);
  const defaults = owned.map(({ role }) => role);
  const looked = lookedAt(part, scope !== undefined);
  // The planner takes the sums for few, and would sort them.
  tx.send(sql`select set_config('work_mem', '96MB', true), set_config('enable_mergejoin', 'off', true)`);
  const rows = await tx.run(sql<{ people: Buffer }>`
    with ${scope === undefined ? sql`` : sql`scope as materialized (select id from (${scope}) s where true ${looked.within('id')}),`}
    ${asking(tx, comparing, { pins: pinned, defaults }, looked)},
    said (user_id, print) as materialized (select * from unnest(${said.map(({ user_id }) => user_id)}::uuid[], ${said.map(saidPrint)}::bigint[])),
    ${exempt(tx, looked)}, ${looked.isScoped ? sql`` : sql`${duplicates(tx)},`}
    differing as (${differing(tx, comparing, pinned, looked)})
    select string_agg(uuid_send(user_id) || int8send(coalesce(print, 0)) || case when is_common then '\\x01'::bytea else '\\x00' end
      || int4send(case when is_held or is_refused then ${noClaim} when is_common then coalesce(paid, ${noClaim}) else ${unknownPriority} end),
      ''::bytea order by user_id) as people
    from (select d.*, row_number() over (order by user_id) / ${peoplePerBuffer}::integer as part from differing d) parts
    group by part order by part
  `);
  return rows.map(({ people }) => people);
}

function lookedAt({ from, to }: Part, isScoped: boolean): Looked {
  const within = (id: string) =>
    sql`${from === undefined ? sql`` : sql`and ${sql.ref(id)} >= ${from}`} ${to === undefined ? sql`` : sql`and ${sql.ref(id)} < ${to}`}`;
  return { isScoped, within };
}

function saidPrint({ verdict, isReclaimed }: Said): string {
  return String((verdict === null ? 0n : verdictPrint(verdict)) ^ (isReclaimed ? reclaimedPrint : 0n));
}

/** `asking (user_id, print, paid)`: what each person asks by, whoever they are, and at best with which priority for a paid role. */
function asking(
  tx: TenantTransaction,
  { rules, now }: Comparing,
  { pins, defaults }: { pins: readonly StoredPin[]; defaults: readonly string[] },
  { isScoped, within }: Looked,
): RawBuilder<unknown> {
  const valid = rules.mappings.filter((mapping) => isValid(mapping, now));
  const own = sql`tenant_id = ${tx.tenantId}`;
  const scoped = (column: string) => (isScoped ? sql`join scope on scope.id = ${sql.ref(column)}` : sql``);
  const askingOf = (of: 'groupId' | 'roleValue' | 'claimValue') => askingBy(valid, rules, (one) => one[of]);
  const [groups, roles, claims] = [askingOf('groupId'), askingOf('roleValue'), askingOf('claimValue')];
  const valued = (values: Asking, column: string) =>
    values.size === 0
      ? []
      : [
          sql`select u.id, v.print, v.paid from users u join ${table(values, 'text')} as v (key, print, paid)
            on v.key = any(${sql.ref(`u.${column}`)}) ${scoped('u.id')} where u.${own} ${within('u.id')} and ${sql.ref(`u.${column}`)} <> '{}'`,
        ];
  // The people's groups, not the groups' people: the planner thinks little of what a list of groups comes to.
  const memberships = isScoped
    ? sql`scope cross join lateral (
        select user_id, group_id from memberships where ${own} and user_id = scope.id offset 0)`
    : sql`(select user_id, group_id from memberships where ${own} ${within('user_id')})`;
  const sources = [
    sql`select m.user_id, g.print, g.paid from ${memberships} m join ${table(groups, 'uuid')} as g (key, print, paid)
      on g.key = m.group_id`,
    ...valued(roles, 'role_values'),
    ...valued(claims, 'claim_values'),
    sql`select p.key, p.print, p.paid from ${table(
      new Map(pins.map((pin) => [pin.user_id, { print: pinPrint(pin, rules), paid: pinPriority }])),
      'uuid',
    )} as p (key, print, paid) ${scoped('p.key')} where true ${within('p.key')}`,
  ];
  const fallen = defaultPrint(rules.defaultRole, rules);
  const printOfDefault = (role: string) => defaultPrint(role, rules)?.toString() ?? null;
  const summed = sql`summed (user_id, print, paid) as (
    select user_id, bit_xor(print), min(paid) from (${sql.join(sources, sql` union all `)}) as source (user_id, print, paid) group by user_id)`;
  const others =
    defaults.length === 0
      ? sql``
      : sql`left join unnest(${defaults}::text[],
    ${defaults.map(printOfDefault)}::bigint[]) as o (role, print) on o.role = u.default_role`;
  // Who has one of their own is few, or nobody.
  if (fallen === undefined && defaults.length === 0) return sql`${summed}, asking as (select * from summed)`;
  if (fallen === undefined)
    return sql`${summed}, asking as (
      select * from summed
      union all select u.id, o.print, ${defaultPriority} from users u ${scoped('u.id')} ${others}
      where u.${own} ${within('u.id')} and u.active and u.default_role is not null and o.print is not null
        and not exists (select from summed s where s.user_id = u.id))`;
  const print =
    defaults.length === 0
      ? sql`${String(fallen)}::bigint`
      : sql`case when u.default_role is null then ${String(fallen)}::bigint else o.print end`;
  return sql`${summed}, asking as (
    select u.id as user_id, coalesce(s.print, ${print}) as print,
      case when s.user_id is null then ${defaultPriority}::integer else s.paid end as paid
    from users u ${scoped('u.id')} left join summed s on s.user_id = u.id ${others} where u.${own} ${within('u.id')} and u.active)`;
}

/** What is asked for by each key, and at best with which priority for a paid role; null: for none. */
type Asking = ReadonlyMap<string, { print: Print; paid: number | null }>;

function askingBy(
  mappings: Rules['mappings'],
  rules: Rules,
  keyOf: (mapping: Mapping) => string | null,
): Asking {
  const asking = new Map<string, { print: Print; paid: number | null }>();
  // The best priority comes first.
  for (const mapping of mappings) {
    const key = keyOf(mapping);
    if (key === null) continue;
    const known = asking.get(key);
    const isPaid = rules.catalogue.roleOf(mapping.role).billing === 'paid';
    asking.set(key, {
      print: (known?.print ?? 0n) ^ mappingPrint(mapping, rules),
      paid: known?.paid ?? (isPaid ? mapping.priority : null),
    });
  }
  return asking;
}

/** With columns for the key, the print, and the priority. */
function table(asking: Asking, type: 'uuid' | 'text'): RawBuilder<unknown> {
  const values = [...asking.values()];
  const prints = values.map(({ print }) => String(print));
  return sql`unnest(${[...asking.keys()]}::${sql.raw(type)}[], ${prints}::bigint[], ${values.map(({ paid }) => paid)}::integer[])`;
}

/**
 * Selects of whoever's decision is to be another `user_id`, `print` (null: nothing is asked for), `paid`, whether the person has a
 * seat (`is_held`), can't have one (`is_refused`), and is one of whom nothing but mappings is to be known (`is_common`).
 */
function differing(
  tx: TenantTransaction,
  { prints: { fallen, above, isFrozen }, now, ...pool }: Comparing,
  pins: readonly StoredPin[],
  looked: Looked,
): RawBuilder<unknown> {
  const { isScoped, within } = looked;
  const number = (print: Print) => sql`${String(print)}::bigint`;
  const termsBasis = sql`case when d.refusal = 'SEAT_RECLAIMED' or d.approval = 'refused' then ${number(fallen)}
    when d.priority is null then 0
    else (case when d.seat in ('held', 'overage') and not ${isFrozen}::boolean then 0 else ${number(fallen)} end)
      # (case when d.seat = 'overage' then ${number(above)} else 0 end) end`;
  const columns = sql`user_id, basis, terms_basis, priority, seat, refusal, approval, due_at, kept_until, notice_until`;
  const stored = isScoped
    ? sql`select d.* from scope cross join lateral (
        select ${columns} from decisions where tenant_id = ${tx.tenantId} and user_id = scope.id offset 0) d`
    : sql`select ${columns} from decisions where tenant_id = ${tx.tenantId} ${within('user_id')}`;
  const wish = sql`case when x.user_id is null then a.print # (case when t.user_id is null then 0
    else ${number(duplicatePrint)} end) # coalesce(s.print, 0) end`;
  // A place that is kept stands for itself where nothing is asked for.
  const isKept = sql`d.kept_until > ${now} and x.user_id is null and t.user_id is null`;
  return sql`
    select coalesce(a.user_id, d.user_id) as user_id, a.print, a.paid, coalesce(d.seat = 'held', false) as is_held,
      x.user_id is not null or t.user_id is not null as is_refused,
      x.user_id is null and t.user_id is null and s.user_id is null
      and coalesce(a.user_id, d.user_id) <> all(${pins.map((pin) => pin.user_id)}::uuid[]) as is_common
    from asking a full join (${stored}) d on d.user_id = a.user_id
    left join exempt x on x.user_id = coalesce(a.user_id, d.user_id)
    ${joinDuplicate(tx, looked)}
    left join said s on s.user_id = coalesce(a.user_id, d.user_id)
    where case
      when d.user_id is null then ${wish} is not null
      when d.due_at <= ${now} ${areSeatsTaken(pool) ? sql`` : sql`or d.notice_until is not null`} then true
      when ${wish} is null then not coalesce(${isKept}, false) or d.basis is distinct from 0
      else d.basis is distinct from ${wish} or d.terms_basis is distinct from ${termsBasis}
    end`;
}
