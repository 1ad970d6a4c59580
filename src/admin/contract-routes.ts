/** The contract, and the seats it gives. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { baseAt, type ContractLine } from '../licensing/contract.ts';
import { putContract } from '../provisioning/contract-flow.ts';
import { type StoredLine, selectLines } from '../provisioning/contract-line-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import {
  ContractAnswer,
  ContractForm,
  readContract,
  showContract,
  showInForce,
  showNext,
} from './contract-form.ts';
import { selectContractInForce } from './contract-store.ts';
import { readInstant } from './instant.ts';
import { closed, problems, TenantPath } from './schemas.ts';

const When = Type.Object(
  {
    at: Type.Optional(Type.String({ maxLength: 40, description: 'ISO 8601: what is in force then; now.' })),
    recordedAt: Type.Optional(
      Type.String({ maxLength: 40, description: 'ISO 8601: as the books stood then; as they stand now.' }),
    ),
  },
  closed,
);
const tags = ['contract'];

export function contractRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.put(
    '/tenants/:t/contract',
    {
      config: {
        auth: 'operator',
        edit: ({ body }) => ({ op: 'contract', contract: readContract(body as Static<typeof ContractForm>) }),
      },
      schema: {
        tags,
        summary: 'Write the contract',
        description:
          'More seats are granted at once, in the order of the queue; fewer take nobody’s away. Where one holds already, one with a first day to come holds from then on.',
        params: TenantPath,
        body: ContractForm,
        response: { 200: ContractAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const now = clock.now();
      const draft = readContract(request.body);
      await putContract(database, adminDoorOf(request, now), draft);
      nudgeSync();
      const contract = await inTenant(database, adminTenantOf(request).id, selectContractInForce);
      return reply.send({
        ...showContract(draft),
        inForce: showInForce(contract, now),
        next: showNext(contract, now),
      });
    },
  );

  scope.get(
    '/tenants/:t/contract',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read the contract',
        params: TenantPath,
        querystring: When,
        response: { 200: ContractAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { at, recordedAt: known } = request.query;
      const now = clock.now();
      const [then, books] = [readInstant('at', at) ?? now, readInstant('recordedAt', known) ?? now];
      const lines = await inTenant(database, adminTenantOf(request).id, (tx) => selectLines(tx, books));
      const bases = lines.filter(({ document }) => document !== null);
      const [first, ...later] = bases.flatMap(({ document }) => document ?? []);
      const held = baseAt(bases, then)?.document;
      if (first === undefined || held == null) throw new Fault('not_found', 'There is no contract yet.');
      const contract = { ...first, lines: lines.filter(isNoBase), later };
      return reply.send({
        ...showContract(held),
        inForce: showInForce(contract, then),
        next: showNext(contract, then),
      });
    },
  );
}

function isNoBase(line: StoredLine): line is StoredLine & ContractLine {
  return line.kind !== 'base';
}
