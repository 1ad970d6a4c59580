/** The contract, seats, groups, mappings, people. */

import {
  aPerson,
  type Command,
  confirmFlag,
  type Flag,
  given,
  type Input,
  integer,
  list,
  pageFlags,
  part,
  tenantFlag,
  tenantPath,
  text,
  UsageError,
} from './command.ts';
import { contractLineCommands } from './contract-line-commands.ts';
import { withGroupNames } from './group-names.ts';
import { seatCommands } from './seat-commands.ts';
import { subPoolCommands } from './sub-pool-commands.ts';

const contracts: Command[] = [
  {
    noun: 'contract',
    verb: 'set',
    summary: 'write the contract',
    flags: [
      tenantFlag,
      { name: 'kind', value: 'evaluation|annual|multi_year', description: 'annual when left out' },
      { name: 'tier', value: 'text', description: 'as the contract calls it', required: true },
      { name: 'paid-seats', value: 'n|unlimited', description: 'paid seats', required: true },
      { name: 'starts-on', value: 'YYYY-MM-DD', description: 'first day, UTC', required: true },
      { name: 'ends-on', value: 'YYYY-MM-DD', description: 'last day, UTC', required: true },
      { name: 'payment-schedule', value: 'annual|quarterly|custom', description: 'annual when left out' },
      {
        name: 'policy',
        value: 'queue|fallback|grace|allow|block',
        description: 'when no seat is free; queue when left out',
      },
      { name: 'fallback-role', value: 'role', description: 'view_only when left out' },
      { name: 'terms', value: 'text', description: 'what else was agreed' },
      { name: 'document-reference', value: 'text', description: 'where the paper is' },
      { name: 'account-manager', value: 'text', description: 'who keeps it' },
      { name: 'billing-portal-url', value: 'url', description: 'where invoices are' },
      { name: 'allowance-percent', value: 'n', description: 'grace, allow: seats above the capacity' },
      { name: 'grace-days', value: 'n', description: 'grace: how long a person keeps such a seat' },
      { name: 'evaluation-grace-days', value: 'n', description: 'after an evaluation; 14 when left out' },
      {
        name: 'decrease-grace-days',
        value: 'n',
        description: 'after the seats became fewer; 30 when left out',
      },
      confirmFlag,
    ],
    call: (input) => ({
      method: 'PUT',
      path: tenantPath(input, '/contract', 'confirm'),
      body: contractOf(input),
    }),
  },
  {
    noun: 'contract',
    verb: 'show',
    summary: 'show the contract, and what is in force',
    flags: [
      tenantFlag,
      { name: 'at', value: 'time', description: 'ISO 8601: what is in force then' },
      { name: 'recorded-at', value: 'time', description: 'ISO 8601: as the books stood then' },
    ],
    call: (input) => ({
      method: 'GET',
      path: tenantPath({ ...input, recordedAt: input['recorded-at'] }, '/contract', 'at', 'recordedAt'),
    }),
  },
  ...contractLineCommands,
];

function contractOf(input: Input): Record<string, unknown> {
  return given({
    kind: input.kind ?? 'annual',
    tier: text(input, 'tier'),
    paidSeats: input['paid-seats'] === 'unlimited' ? null : integer(input, 'paid-seats'),
    startsOn: text(input, 'starts-on'),
    endsOn: text(input, 'ends-on'),
    paymentSchedule: input['payment-schedule'] ?? 'annual',
    overage: given({
      policy: input.policy ?? 'queue',
      allowancePercent: integer(input, 'allowance-percent'),
      graceDays: integer(input, 'grace-days'),
    }),
    fallbackRole: input['fallback-role'] ?? 'view_only',
    terms: input.terms,
    documentReference: input['document-reference'],
    accountManager: input['account-manager'],
    billingPortalUrl: input['billing-portal-url'],
    evaluationGraceDays: integer(input, 'evaluation-grace-days'),
    decreaseGraceDays: integer(input, 'decrease-grace-days'),
  });
}

export const mappingFlags: readonly Flag[] = [
  { name: 'group', value: 'name', description: 'the group, by its display name' },
  { name: 'group-id', value: 'id', description: 'or by its id' },
  { name: 'group-external-id', value: 'id', description: "or by the identity provider's id" },
  { name: 'role-value', value: 'text', description: 'or a value that is pushed in SCIM roles' },
  { name: 'claim', value: 'text', description: 'or a value of the groups claim of single sign-on' },
  { name: 'role', value: 'role', description: 'team_member, custom:<name>, view_only …', required: true },
  { name: 'workspaces', value: 'ids', description: 'between commas; "*" (when left out): the default ones' },
  { name: 'priority', value: 'n', description: 'unique; 1 beats 2', required: true },
  { name: 'fallback-role', value: 'role', description: "instead of the contract's" },
  { name: 'valid-from', value: 'time', description: 'ISO 8601: it counts from then on' },
  { name: 'valid-until', value: 'time', description: 'ISO 8601: it no longer counts from then on' },
  { name: 'approval', value: 'mode', description: 'automatic, manual or when_full: who gives the seat' },
  { name: 'sub-pool', value: 'name', description: 'whose share of the seats its people claim' },
  { name: 'may-preempt', description: 'order strict: it may take the seat of a lower priority' },
];

const mappings: Command[] = [
  {
    noun: 'mapping',
    verb: 'create',
    summary: 'map a group',
    flags: [tenantFlag, ...mappingFlags, confirmFlag],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/mappings', 'confirm'),
      body: mappingOf(input),
    }),
  },
  {
    noun: 'mapping',
    verb: 'list',
    summary: 'list mappings, best priority first',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/mappings', 'limit', 'cursor') }),
    readable: withGroupNames,
    columns: ['priority', 'group', 'role', 'workspaces', 'fallbackRole', 'id'],
  },
  {
    noun: 'mapping',
    verb: 'update',
    summary: 'replace a mapping',
    argument: 'mapping-id',
    flags: [tenantFlag, ...mappingFlags, confirmFlag],
    call: (input) => ({
      method: 'PUT',
      path: tenantPath(input, `/mappings/${part(input, 'mapping-id')}`, 'confirm'),
      body: mappingOf(input),
    }),
  },
  {
    noun: 'mapping',
    verb: 'delete',
    summary: 'remove a mapping',
    argument: 'mapping-id',
    flags: [tenantFlag, confirmFlag],
    call: (input) => ({
      method: 'DELETE',
      path: tenantPath(input, `/mappings/${part(input, 'mapping-id')}`, 'confirm'),
    }),
  },
  {
    noun: 'mapping',
    verb: 'reorder',
    summary: 'number all mappings 1..n in the order given',
    flags: [
      tenantFlag,
      { name: 'ids', value: 'ids', description: 'between commas', required: true },
      confirmFlag,
    ],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/mappings/reorder', 'confirm'),
      body: { ids: list(input, 'ids') },
    }),
    readable: withGroupNames,
    columns: ['priority', 'group', 'role', 'workspaces', 'fallbackRole', 'id'],
  },
];

export function mappingOf(input: Input): Record<string, unknown> {
  const group = given({
    id: input['group-id'],
    displayName: input.group,
    externalId: input['group-external-id'],
    roleValue: input['role-value'],
    claim: input.claim,
  });
  if (Object.keys(group).length !== 1) {
    throw new UsageError(
      'name whom it maps by exactly one of --group, --group-id, --group-external-id, --role-value, --claim',
    );
  }
  return given({
    group,
    role: text(input, 'role'),
    workspaces: list(input, 'workspaces') ?? ['*'],
    priority: integer(input, 'priority'),
    fallbackRole: input['fallback-role'],
    validFrom: input['valid-from'],
    validUntil: input['valid-until'],
    mayPreempt: input['may-preempt'],
    approval: input.approval,
    subPool: input['sub-pool'],
  });
}

const people: Command[] = [
  {
    noun: 'groups',
    verb: 'list',
    summary: 'list groups',
    flags: [
      tenantFlag,
      { name: 'search', value: 'text', description: 'what the name begins with' },
      { name: 'mapped', value: 'true|false', description: 'only those that are mapped, or are not' },
      ...pageFlags,
    ],
    call: (input) => ({
      method: 'GET',
      path: tenantPath(input, '/groups', 'search', 'mapped', 'limit', 'cursor'),
    }),
    columns: ['displayName', 'memberCount', 'directory', 'externalId', 'id'],
  },
  {
    noun: 'users',
    verb: 'list',
    summary: 'list people',
    flags: [
      tenantFlag,
      { name: 'search', value: 'text', description: 'what userName or address begins with' },
      { name: 'role', value: 'role', description: 'a role they have' },
      { name: 'seat', value: 'state', description: 'none, held, overage, hold, queued, blocked' },
      ...pageFlags,
    ],
    call: (input) => ({
      method: 'GET',
      path: tenantPath(input, '/users', 'search', 'role', 'seat', 'limit', 'cursor'),
    }),
    columns: ['userName', 'active', 'seat.state', 'seat.position', 'effectiveRoles', 'blue.state', 'id'],
  },
  {
    noun: 'users',
    verb: 'show',
    summary: 'show a person',
    ...aPerson,
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, `/users/${part(input, 'user')}`) }),
  },
  {
    noun: 'users',
    verb: 'explain',
    summary: 'say why a person has these roles and this seat',
    ...aPerson,
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, `/users/${part(input, 'user')}/explain`) }),
  },
];

export const licensingCommands: readonly Command[] = [
  ...contracts,
  ...seatCommands,
  ...subPoolCommands,
  ...mappings,
  ...people,
];
