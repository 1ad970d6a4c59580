/** The connection to Blue. */

import {
  type Command,
  confirmFlag,
  given,
  integer,
  list,
  pageFlags,
  tenantFlag,
  tenantPath,
  text,
} from './command.ts';
import { withBlueUserIds, withWhoIsLeft } from './unmanaged-people.ts';

export const blueCommands: readonly Command[] = [
  {
    noun: 'blue',
    verb: 'set',
    summary: 'connect a tenant to Blue',
    flags: [
      tenantFlag,
      { name: 'organization-id', value: 'id', description: "Blue's id of the organization", required: true },
      { name: 'token-id', value: 'id', description: "of the owner's token", required: true },
      { name: 'token-secret', value: 'text', description: 'stays as it was when left out' },
      { name: 'api-url', value: 'url', description: "instead of the gateway's default" },
      { name: 'mode', value: 'observe|apply', description: 'observe when left out: nothing is sent' },
      {
        name: 'deactivation',
        value: 'leave_workspaces|view_only|leave_organization',
        description: 'what becomes of leavers',
      },
      { name: 'default-workspaces', value: 'ids', description: 'between commas: what "*" stands for' },
      { name: 'drift', value: 'report|repair', description: 'about changes that others made in Blue' },
      { name: 'invitations-per-hour', value: 'n', description: 'no limit when left out' },
      confirmFlag,
    ],
    call: (input) => ({
      method: 'PUT',
      path: tenantPath(input, '/blue', 'confirm'),
      body: given({
        organizationId: text(input, 'organization-id'),
        tokenId: text(input, 'token-id'),
        tokenSecret: input['token-secret'],
        apiUrl: input['api-url'],
        mode: input.mode,
        deactivation: input.deactivation,
        defaultWorkspaces: list(input, 'default-workspaces'),
        drift: input.drift,
        invitationsPerHour: integer(input, 'invitations-per-hour'),
      }),
    }),
  },
  {
    noun: 'blue',
    verb: 'show',
    summary: 'show the connection',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/blue') }),
  },
  {
    noun: 'blue',
    verb: 'status',
    summary: 'say how it goes',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/blue/status') }),
  },
  {
    noun: 'blue',
    verb: 'plan',
    summary: 'show what would be sent now',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/blue/plan') }),
    columns: ['userName', 'address', 'action', 'role', 'workspaces'],
  },
  {
    noun: 'blue',
    verb: 'workspaces',
    summary: 'list workspaces and their custom roles',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/blue/workspaces') }),
    columns: ['name', 'id', 'customRoles'],
  },
  {
    noun: 'blue',
    verb: 'sync',
    summary: 'carry everything into Blue now',
    flags: [tenantFlag, { name: 'drift', description: "read Blue's lists again first" }],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/blue/sync'),
      body: { drift: input.drift === true },
    }),
  },
  {
    noun: 'blue',
    verb: 'unmanaged',
    summary: 'list people with a paid role in Blue that the gateway did not give',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/blue/unmanaged', 'limit', 'cursor') }),
    columns: [
      'email',
      'role',
      'memberships',
      'lastActiveAt',
      'user.userName',
      'adoptable',
      'why',
      'blueUserId',
    ],
  },
  {
    noun: 'blue',
    verb: 'adopt',
    summary: 'take such people under the gateway: what they have in Blue stays, and the seat is theirs',
    argument: 'person',
    isArgumentOptional: true,
    isArgumentRepeated: true,
    flags: [
      tenantFlag,
      { name: 'reason', value: 'text', description: 'why', required: true },
      { name: 'all', description: 'instead of people: everybody who can be adopted' },
      confirmFlag,
    ],
    lookUp: withBlueUserIds,
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/blue/adoptions', 'confirm'),
      body: { blueUserIds: list(input, 'person'), reason: text(input, 'reason') },
    }),
    columns: ['blueUserId', 'result', 'seat', 'role', 'leftAlone', 'code', 'detail', 'user'],
    readable: withWhoIsLeft,
    problem: (answer) => {
      const { items } = answer as { items: { result: string }[] };
      return items.every(({ result }) => result === 'refused')
        ? 'Nobody was adopted: `detail` says why, and what to do.'
        : undefined;
    },
  },
];
