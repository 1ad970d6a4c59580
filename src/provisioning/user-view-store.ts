/** Reads users whole: what the directory says, what was decided, and what is known of them in Blue. One statement. */

import { type RawBuilder, sql } from 'kysely';
import { weighedSql } from '../db/page-weight.ts';
import { byId, orderSql, type RowOrder } from '../db/row-order.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { DirectoryId, UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { roomIn, type Usage } from '../licensing/admit.ts';
import { excessEnd, seatsLost } from '../licensing/cliff.ts';
import { type Contract, type Terms, termsAt } from '../licensing/contract.ts';
import { isSeated, type OpenBatch, seatView } from '../licensing/effect.ts';
import { seatLimits } from '../licensing/overage.ts';
import {
  hasPlace,
  type Shares,
  type SubPoolDraft,
  type SubPoolUse,
  shareOf,
  sharesOf,
  withUse,
} from '../licensing/sub-pool.ts';
import { contractJson } from './contract-sql.ts';
import { type DecisionRow, decisionColumns, toDecision } from './decision-store.ts';
import { subPoolsJson } from './rules-sql.ts';
import { selectBorrowers, selectLosing } from './share-store.ts';
import { isStagedSql } from './staged-sql.ts';
import type { BlueState, UserView } from './user-view.ts';

export interface UserSelection {
  /** On `u` (users) and `s` (the asking directory's user_sources). */
  where: RawBuilder<unknown>;
  /** Whose externalId is shown. */
  directoryId: DirectoryId | null;
  offset: number;
  limit: number;
  withGroups: boolean;
  /** By id where it is left out. */
  order?: RowOrder;
  /** false: for a page that goes on behind another, and so never looks at what comes after it. */
  withTotal?: boolean;
  /** Bytes of the users' documents after which the page ends; undefined: it does not. */
  bytesMax?: number;
}

export interface UserPage {
  /** Of all that match, wherever the page stands; 0 when it was not asked for. */
  total: number;
  views: UserView[];
  /** The key of each in the order, as text. */
  keys: (string | null)[];
  /** It ended early, because of its bytes. */
  isCut: boolean;
}

interface Row extends DecisionRow {
  total: number;
  found: number;
  id: UserId;
  attributes: JsonObject;
  version: number;
  created_at: Date;
  last_modified: Date;
  external_id: string | null;
  address: string | null;
  sources: string[];
  groups: UserView['groups'] | null;
  position: number | null;
  contract: Contract | null;
  sub_pools: SubPoolDraft[];
  sub_pool_use: SubPoolUse;
  usage: Usage;
  batch_opened_at: Date | null;
  settles_at: Date | null;
  /** Since when there are fewer seats than are used; null: there are not. */
  excess_since: Date | null;
  /** Of somebody whom the breaker holds back. */
  staged_since: Date | null;
  blue_state: BlueState | null;
  blue_code: string | null;
  blue_detail: string | null;
  sort_key: string | null;
}

/** A page of the users that match. */
export async function selectUserViews(
  tx: TenantTransaction,
  selection: UserSelection,
  now: Date,
): Promise<UserPage> {
  const { where, directoryId, offset, limit, order = byId, withTotal = true } = selection;
  const total = withTotal ? sql`count(*) over ()` : sql`0`;
  const matching = sql`
    from users u
    left join user_sources s on s.tenant_id = u.tenant_id and s.user_id = u.id and s.directory_id = ${directoryId}::uuid
    where u.tenant_id = ${tx.tenantId} and ${where}
  `;
  const rows = await tx.run(sql<Row>`
    with hits as (
      select u.id, ${total} as total, ${order.key ?? sql`null`} as sort_value ${matching}
      order by ${orderSql(order, sql`u.id`)} limit ${limit} offset ${offset}
    )
    ${pageSql(tx, selection)}
    ${viewOf(tx, selection)}
  `);
  const [row] = rows;
  if (row === undefined) {
    const isBehind = withTotal && (offset > 0 || limit === 0);
    const [count] = isBehind
      ? await tx.run(sql<{ total: number }>`select count(*) as total ${matching}`)
      : [{ total: 0 }];
    return { total: count?.total ?? 0, views: [], keys: [], isCut: false };
  }
  const among = await amongOthers(tx, row, rows, now);
  const views = rows.map((one) => toView(one, among));
  const isCut = views.length < row.found;
  return { total: row.total, views, keys: rows.map((one) => one.sort_key), isCut };
}

/** From `hits (id, total, sort_value)` the `page`, with how many were found. */
function pageSql(
  tx: TenantTransaction,
  { bytesMax, limit, order = byId }: UserSelection,
): RawBuilder<unknown> {
  if (bytesMax === undefined || limit <= 1) return sql`, page as (select h.*, 0 as found from hits h)`;
  return sql`, weighed as (
      select h.*, ${weighedSql(sql`w.attributes`, placeSql(order, 'h'))}
      from hits h join users w on w.tenant_id = ${tx.tenantId} and w.id = h.id
    ), page as (select * from weighed where before < ${bytesMax})`;
}

function placeSql(order: RowOrder, alias: string): RawBuilder<unknown> {
  const key = order.key && sql.ref(`${alias}.sort_value`);
  return orderSql({ ...order, key }, sql.ref(`${alias}.id`));
}

/** Reads `page`. For one user those ahead are counted; for a page the queue is numbered once. */
function viewOf(
  tx: TenantTransaction,
  { directoryId, withGroups, limit, order = byId }: UserSelection,
): RawBuilder<unknown> {
  const queue = sql`(
    select user_id, row_number() over (order by priority, rank_at, tie, user_id) as position
    from decisions where tenant_id = ${tx.tenantId} and seat = 'waiting' and approval is null)`;
  const ahead = sql`(
    select count(*) from decisions o where o.tenant_id = d.tenant_id and o.seat = 'waiting' and o.approval is null
      and (o.priority, o.rank_at, o.tie, o.user_id) <= (d.priority, d.rank_at, d.tie, d.user_id))`;
  const isPage = limit > 1;
  const groups = withGroups
    ? sql`(select jsonb_agg(jsonb_build_object('id', g.id, 'displayName', g.display_name) order by g.id)
           from memberships m join groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
           where m.tenant_id = u.tenant_id and m.user_id = u.id)`
    : sql`null::jsonb`;
  return sql`
    select h.total, h.found, h.sort_value::text as sort_key, u.id, u.attributes, u.version, u.created_at, u.last_modified, u.address, s.external_id,
      array(select y.name from user_sources x
            join directories y on y.tenant_id = x.tenant_id and y.id = x.directory_id
            where x.tenant_id = u.tenant_id and x.user_id = u.id order by y.name) as sources,
      ${groups} as groups,
      ${decisionColumns},
      case when d.seat = 'waiting' and d.approval is null then ${isPage ? sql`q.position` : ahead} end as position,
      c.contract, c.sub_pools, p.sub_pool_use, p.batch_opened_at, p.settles_at,
      p.excess_since, case when ${isStagedSql} then p.staged_since end as staged_since,
      jsonb_build_object('held', p.used - p.overage - p.on_hold, 'overage', p.overage, 'onHold', p.on_hold,
        'unmanagedPaid', p.unmanaged_paid) as usage,
      b.state as blue_state, b.code as blue_code, b.detail as blue_detail
    from page h
    join users u on u.tenant_id = ${tx.tenantId} and u.id = h.id
    left join user_sources s on s.tenant_id = u.tenant_id and s.user_id = u.id and s.directory_id = ${directoryId}::uuid
    left join decisions d on d.tenant_id = u.tenant_id and d.user_id = u.id
    ${isPage ? sql`left join ${queue} q on q.user_id = u.id` : sql``}
    left join (select ${contractJson(tx.tenantId)} as contract, ${subPoolsJson(tx.tenantId)} as sub_pools offset 0) c on true
    left join seat_pools p on p.tenant_id = ${tx.tenantId}
    left join blue_people b on b.tenant_id = u.tenant_id and b.user_id = u.id
    order by ${placeSql(order, 'h')}
  `;
}

/** undefined: there is no such user in this tenant. */
export async function selectUserView(
  tx: TenantTransaction,
  id: UserId,
  now: Date,
  options: Pick<UserSelection, 'directoryId' | 'withGroups'> = { directoryId: null, withGroups: true },
): Promise<UserView | undefined> {
  const page = await selectUserViews(tx, { ...options, where: sql`u.id = ${id}`, offset: 0, limit: 1 }, now);
  return page.views[0];
}

function batchOf({ batch_opened_at: openedAt, settles_at: settlesAt }: Row): OpenBatch | null {
  return openedAt === null ? null : { openedAt, settlesAt };
}

/** What people are told that others decide, too. */
interface Among {
  terms: Terms;
  shares: Shares;
  borrowers: ReadonlySet<UserId>;
  /** Who would lose the seat if the grace of a decrease were over now. */
  losers: ReadonlySet<UserId>;
  /** When it is. */
  excessUntil: Date | null;
  /** Seats are free, though perhaps not for everybody. */
  isRoom: boolean;
}

/** More is read only where there are sub-pools, or fewer seats than are used. @param row Any of them: of the tenant. */
async function amongOthers(tx: TenantTransaction, row: Row, rows: readonly Row[], now: Date): Promise<Among> {
  const contract = row.contract ?? undefined;
  const terms = termsAt(contract, now);
  const shares = sharesOf(withUse(row.sub_pools, row.sub_pool_use), terms, row.usage);
  const seated = rows.flatMap(({ id, seat }) => (isSeated(seat) ? [id] : []));
  const excess = row.excess_since === null ? 0 : seatsLost(seatLimits(terms), row.usage);
  const [borrowers, losers] = await Promise.all([
    selectBorrowers(tx, shares, seated),
    selectLosing(tx, shares, excess, seated),
  ]);
  const room = roomIn(terms, row.usage);
  return {
    ...{ terms, shares, borrowers, losers },
    excessUntil: row.excess_since === null ? null : excessEnd(contract, row.excess_since, now),
    isRoom: terms.grants && room.held + room.overage > 0,
  };
}

function shareStateOf(
  { id, seat, sub_pool: subPool }: Row,
  { borrowers, isRoom, shares }: Among,
): 'borrowed' | 'full' | null {
  if (borrowers.has(id)) return 'borrowed';
  const isFull = seat === 'waiting' && isRoom && !hasPlace(shareOf(shares, subPool));
  return isFull ? 'full' : null;
}

function toView(row: Row, among: Among): UserView {
  const decision = toDecision(row);
  return {
    user: {
      id: row.id,
      attributes: row.attributes,
      externalId: row.external_id,
      version: row.version,
      createdAt: row.created_at,
      lastModified: row.last_modified,
    },
    address: row.address,
    sources: row.sources,
    groups: row.groups ?? [],
    decision,
    seat: seatView(decision, row.position, {
      ...among.terms,
      batch: batchOf(row),
      share: shareStateOf(row, among),
      excessUntil: among.losers.has(row.id) ? among.excessUntil : null,
      isStaged: row.staged_since !== null,
    }),
    stagedSince: row.staged_since,
    blue: { state: row.blue_state ?? 'none', code: row.blue_code, detail: row.blue_detail },
  };
}
