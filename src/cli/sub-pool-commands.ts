/** Sub-pools: named shares of the seats. */

import { type Command, confirmFlag, given, integer, part, tenantFlag, tenantPath } from './command.ts';

export const subPoolCommands: readonly Command[] = [
  {
    noun: 'sub-pool',
    verb: 'list',
    summary: 'list the shares of the seats and how they are used',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/sub-pools') }),
    columns: ['name', 'seats', 'borrowLimit', 'used', 'borrowed', 'lent'],
  },
  {
    noun: 'sub-pool',
    verb: 'show',
    summary: 'show one of them',
    argument: 'name',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, `/sub-pools/${part(input, 'name')}`) }),
  },
  {
    noun: 'sub-pool',
    verb: 'set',
    summary: 'write a share of the seats',
    argument: 'name',
    flags: [
      tenantFlag,
      { name: 'seats', value: 'n', description: 'its share', required: true },
      { name: 'borrow-limit', value: 'n', description: 'above its share; as many as are free when left out' },
      confirmFlag,
    ],
    call: (input) => ({
      method: 'PUT',
      path: tenantPath(input, `/sub-pools/${part(input, 'name')}`, 'confirm'),
      body: given({ seats: integer(input, 'seats'), borrowLimit: integer(input, 'borrow-limit') }),
    }),
  },
  {
    noun: 'sub-pool',
    verb: 'delete',
    summary: 'delete one that no mapping names',
    argument: 'name',
    flags: [tenantFlag, confirmFlag],
    call: (input) => ({
      method: 'DELETE',
      path: tenantPath(input, `/sub-pools/${part(input, 'name')}`, 'confirm'),
    }),
  },
];
