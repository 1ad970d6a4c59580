/** Domains that a tenant shows to be its own. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import { parseDomain, recordOf } from '../domains/core/domain-name.ts';
import type { Domain } from '../domains/domain.ts';
import { addDomain, checkDomain, removeDomain, unknownDomain } from '../domains/domain-flow.ts';
import { selectDomain, selectDomains } from '../domains/domain-store.ts';
import { RateLimit } from '../http/rate-limit.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterKey, readLimit, toPage } from './paging.ts';
import { closed, listOf, nullable, PageQuery, problems, TenantPath, Time } from './schemas.ts';

const domainFields = {
  domain: Type.String({ description: 'In ASCII, lower case.' }),
  status: Type.Enum(['pending', 'verified']),
  record: Type.Object(
    { name: Type.String(), value: Type.String() },
    { description: 'The TXT record that shows that the domain is the tenant’s.' },
  ),
  createdAt: Time,
  verifiedAt: nullable(Time),
  checkedAt: nullable(Time),
  missingSince: nullable({
    ...Time,
    description: 'Since when the record of a domain that is or was verified is not there.',
  }),
};
const DomainAnswer = Type.Object(domainFields);
const CheckAnswer = Type.Object({
  ...domainFields,
  problem: nullable(Type.String({ description: 'What is wrong with the record, and what to do.' })),
});
const DomainBody = Type.Object({ domain: Type.String({ minLength: 1, maxLength: 1000 }) }, closed);
const DomainPath = Type.Object({
  t: Type.String({ description: 'Id or slug of the tenant.' }),
  domain: Type.String(),
});
const tags = ['domains'];
const base = '/tenants/:t/domains';

export function domainRoutes(scope: AdminScope, { database, clock, textRecords }: Services): void {
  const checks = new RateLimit(limits.domainChecksPerSecond, limits.domainChecksAtOnce);
  scope.post(
    base,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Name a domain of the tenant',
        description: 'Add the TXT record that the answer shows to the domain, then verify it.',
        params: TenantPath,
        body: DomainBody,
        response: { 201: DomainAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { domain } = request.body;
      return reply.code(201).send(show(await addDomain(database, adminDoorOf(request, clock.now()), domain)));
    },
  );

  scope.post(
    `${base}/:domain/verify`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Look at a domain’s TXT record',
        description:
          'It is verified when the record is there, and stays as it is otherwise. 409: another organisation has verified it.',
        params: DomainPath,
        response: { 200: CheckAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const domain = domainIn(request.params);
      const retryAfterSeconds = checks.take(adminTenantOf(request).id, performance.now());
      if (retryAfterSeconds > 0) {
        throw new Fault('rate_limited', 'Too many domains were looked at.', { retryAfterSeconds });
      }
      const door = adminDoorOf(request, clock.now());
      const { domain: checked, problem } = await checkDomain(database, textRecords, door, domain);
      return reply.send({ ...show(checked), problem });
    },
  );

  scope.delete(
    `${base}/:domain`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Remove a domain',
        description: 'Connections serve it no longer. Sessions and people who are linked stay as they are.',
        params: DomainPath,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await removeDomain(database, adminDoorOf(request, clock.now()), domainIn(request.params));
      return reply.code(204).send(null);
    },
  );
}

export function domainReadRoutes(scope: AdminScope, { database }: Services): void {
  scope.get(
    base,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List domains',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(DomainAnswer), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const after = afterKey(query, '');
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectDomains(tx, after, readLimit(query)),
      );
      return reply.send(toPage(query, rows, ({ domain }) => domain, show));
    },
  );

  scope.get(
    `${base}/:domain`,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read a domain',
        params: DomainPath,
        response: { 200: DomainAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const domain = domainIn(request.params);
      const found = await inTenant(database, adminTenantOf(request).id, (tx) => selectDomain(tx, domain));
      if (found === undefined) throw unknownDomain(domain);
      return reply.send(show(found));
    },
  );
}

function domainIn({ domain: text }: { domain: string }): string {
  const domain = parseDomain(text);
  if (domain === undefined) throw unknownDomain(text);
  return domain;
}

function show({ domain, challenge, ...times }: Domain): Static<typeof DomainAnswer> {
  return {
    domain,
    status: times.verifiedAt === null ? 'pending' : 'verified',
    record: recordOf(domain, challenge),
    createdAt: times.createdAt.toISOString(),
    verifiedAt: times.verifiedAt?.toISOString() ?? null,
    checkedAt: times.checkedAt?.toISOString() ?? null,
    missingSince: times.missingSince?.toISOString() ?? null,
  };
}
