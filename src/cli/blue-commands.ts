/** The connection to Blue. */

import { type Command, confirmFlag, given, integer, list, tenantFlag, tenantPath, text } from './command.ts';

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
];
