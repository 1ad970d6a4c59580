/** What changes a contract from a day on. */

import {
  type Command,
  confirmFlag,
  type Flag,
  given,
  type Input,
  integer,
  part,
  tenantFlag,
  tenantPath,
  text,
} from './command.ts';

const noted: readonly Flag[] = [
  { name: 'reason', value: 'text', description: 'why', required: true },
  { name: 'document-reference', value: 'text', description: 'where the paper is' },
];

function notes(input: Input): Record<string, unknown> {
  return { reason: text(input, 'reason'), documentReference: input['document-reference'] };
}

export const contractLineCommands: readonly Command[] = [
  {
    noun: 'contract',
    verb: 'amend',
    summary: 'change the contract from a day on',
    flags: [
      tenantFlag,
      { name: 'effective-on', value: 'YYYY-MM-DD', description: 'from this day on, UTC', required: true },
      { name: 'paid-seats', value: 'n|unlimited', description: 'the new total' },
      { name: 'tier', value: 'text', description: 'as the contract calls it' },
      { name: 'ends-on', value: 'YYYY-MM-DD', description: 'the new last day' },
      ...noted,
      confirmFlag,
    ],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/contract/amendments', 'confirm'),
      body: given({
        effectiveOn: text(input, 'effective-on'),
        paidSeats: input['paid-seats'] === 'unlimited' ? null : integer(input, 'paid-seats'),
        tier: input.tier,
        endsOn: input['ends-on'],
        ...notes(input),
      }),
    }),
  },
  {
    noun: 'contract',
    verb: 'add',
    summary: 'add seats on top of the total',
    flags: [
      tenantFlag,
      {
        name: 'kind',
        value: 'add_on|ramp',
        description: 'an add-on may end before the contract, a ramp stays',
        required: true,
      },
      { name: 'starts-on', value: 'YYYY-MM-DD', description: 'first day, UTC', required: true },
      {
        name: 'ends-on',
        value: 'YYYY-MM-DD',
        description: 'last day of an add-on; as long as the contract when left out',
      },
      { name: 'paid-seats', value: 'n', description: 'how many', required: true },
      ...noted,
      confirmFlag,
    ],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/contract/lines', 'confirm'),
      body: given({
        kind: text(input, 'kind'),
        startsOn: text(input, 'starts-on'),
        endsOn: input['ends-on'],
        paidSeats: integer(input, 'paid-seats'),
        ...notes(input),
      }),
    }),
  },
  {
    noun: 'contract',
    verb: 'lines',
    summary: 'list the lines of the contract',
    flags: [
      tenantFlag,
      { name: 'recorded-at', value: 'time', description: 'ISO 8601: as the books stood then' },
    ],
    call: (input) => ({
      method: 'GET',
      path: tenantPath({ ...input, recordedAt: input['recorded-at'] }, '/contract/lines', 'recordedAt'),
    }),
    columns: ['kind', 'effectiveOn', 'endsOn', 'paidSeats', 'tier', 'contractEndsOn', 'reason', 'id'],
  },
  {
    noun: 'contract',
    verb: 'withdraw',
    summary: 'take a line out of the contract; the books keep it',
    argument: 'line-id',
    flags: [tenantFlag, confirmFlag],
    call: (input) => ({
      method: 'DELETE',
      path: tenantPath(input, `/contract/lines/${part(input, 'line-id')}`, 'confirm'),
    }),
  },
];
