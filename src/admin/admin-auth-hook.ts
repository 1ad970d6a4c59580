/** Who calls under `/api/v1`: a key, read from the database on each request, and the tenant that the path names. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Administrator } from '../audit/audit-event.ts';
import type { Door } from '../audit/door.ts';
import type { AuthRule } from '../http/auth-rule.ts';
import type { Services } from '../http/services.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { bearerToken } from '../kernel/token.ts';
import { findCaller, findTenant } from '../tenants/credential-store.ts';
import type { Lineage } from '../tenants/lineage.ts';
import { administratorOf, type Caller, type KeyRole, type Tenant } from '../tenants/tenant.ts';
import type { ApprovedEdit } from './approved-call.ts';

declare module 'fastify' {
  interface FastifyRequest {
    adminCaller: Caller | null;
    adminTenant: Tenant | null;
    /** The edit request that the call is made by, approved by a second person. */
    approvedEdit: ApprovedEdit | null;
  }
}

/** Roles of keys that each rule lets through; an operator passes them all. */
const rolesOf: Partial<Record<AuthRule, readonly KeyRole[]>> = {
  operator: [],
  'tenant-owner': ['owner'],
  'tenant-write': ['owner', 'admin'],
  'tenant-read': ['owner', 'admin', 'auditor'],
};

export function installAdminAuth(scope: FastifyInstance, services: Services): void {
  scope.decorateRequest('adminCaller', null);
  scope.decorateRequest('adminTenant', null);
  scope.decorateRequest('approvedEdit', null);
  scope.addHook('onRequest', async (request) => {
    const rule = request.routeOptions.config.auth;
    if (rule === 'none') return;
    const caller = await callerOf(request, services);
    request.adminCaller = caller;
    // Who asks for what is not here is told so, whatever the key may do.
    if (request.is404) return;
    const { t } = request.params as { t?: string };
    if (t !== undefined) request.adminTenant = await tenantOf(t, caller, services);
    const isAllowed = caller.kind === 'operator' || (rule !== undefined && isIn(rule, caller.role));
    if (!isAllowed) {
      const role = caller.kind === 'key' ? caller.role : 'operator';
      const text = `A key with the role "${role}" may not do this: it takes ${whoseKeyFor(rule)}.`;
      throw new Fault('forbidden', text);
    }
  });
}

function isIn(rule: AuthRule, role: KeyRole): boolean {
  return rolesOf[rule]?.includes(role) === true;
}

function whoseKeyFor(rule: AuthRule | undefined): string {
  const roles = (rule && rolesOf[rule]) ?? [];
  return [...roles, 'operator'].map((role) => `an ${role}'s`).join(' or ');
}

async function callerOf(request: FastifyRequest, { database, clock }: Services): Promise<Caller> {
  const key = bearerToken(request.headers.authorization);
  if (key === undefined) throw new Fault('unauthenticated', 'Send a key as "Authorization: Bearer <key>".');
  const caller = await findCaller(database, key, clock.now());
  if (caller === undefined) throw new Fault('unauthenticated', 'The key is unknown, revoked or expired.');
  return caller;
}

/** Of another tenant nothing is told, not even that it exists. */
async function tenantOf(reference: string, caller: Caller, { database }: Services): Promise<Tenant> {
  const tenant = await findTenant(database, reference);
  if (tenant === undefined || (caller.kind === 'key' && caller.tenantId !== tenant.id)) {
    throw new Fault('not_found', `There is no tenant "${reference}".`);
  }
  return tenant;
}

export function adminTenantOf({ adminTenant }: FastifyRequest): Tenant {
  assert(adminTenant !== null, 'the path names a tenant');
  return adminTenant;
}

export function adminActorOf({ adminCaller, approvedEdit }: FastifyRequest): Administrator & Door['actor'] {
  assert(adminCaller !== null, 'the hook lets nobody else through');
  const caller = administratorOf(adminCaller);
  return approvedEdit === null ? caller : { ...approvedEdit.actor, approvedBy: caller };
}

/** The key that calls, and whom it descends from. */
export function adminLineageOf({ adminCaller }: FastifyRequest): Lineage {
  assert(adminCaller !== null, 'the hook lets nobody else through');
  return adminCaller.lineage;
}

/** The door of a write in the path's tenant. */
export function adminDoorOf(request: FastifyRequest, now: Date): Door & { actor: Administrator } {
  return {
    tenantId: adminTenantOf(request).id,
    actor: adminActorOf(request),
    now,
    requestId: request.id,
    ...(request.approvedEdit === null ? {} : { approval: request.approvedEdit.approval }),
  };
}
