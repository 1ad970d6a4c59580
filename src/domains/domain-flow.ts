/** A tenant names a domain, shows by a TXT record that it is its own, and loses it when the record stays away. */

import { randomBytes } from 'node:crypto';
import { lookForAlerts } from '../alerts/alert-store.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { dislocate, locate } from '../tenants/locator-store.ts';
import { isPublicSuffix, parseDomain, recordOf } from './core/domain-name.ts';
import type { TextAnswer, TextRecords } from './dns-client.ts';
import type { Domain } from './domain.ts';
import {
  countDomains,
  deleteDomain,
  findDueDomains,
  insertDomain,
  lockDomain,
  selectDomain,
  updateDomain,
} from './domain-store.ts';

const hourMs = 60 * 60 * 1000;
const missingMsMax = limits.domainMissingDaysMax * 24 * hourMs;

/** @throws Fault `invalid` for what is no domain of one organisation; `conflict` when it is there, or there are too many. */
export async function addDomain(database: Database, door: Door, text: string): Promise<Domain> {
  const domain = parseDomain(text);
  if (domain === undefined || isPublicSuffix(domain)) {
    const what =
      domain === undefined
        ? 'is no domain such as example.com: write it without @, scheme or port'
        : 'belongs to no single organisation: name the domain below it that is yours';
    throw new Fault('invalid', `"${text.slice(0, 300)}" ${what}.`, { field: 'domain' });
  }
  const added: Domain = {
    ...{ domain, challenge: randomBytes(24).toString('base64url'), createdAt: door.now },
    ...{ verifiedAt: null, checkedAt: null, missingSince: null },
  };
  try {
    await inTenant(database, door.tenantId, async (tx) => {
      if ((await countDomains(tx)) >= limits.domainsPerTenantMax) {
        const most = `A tenant has at most ${limits.domainsPerTenantMax} domains`;
        throw new Fault('conflict', `${most}: remove one that nobody uses.`);
      }
      insertDomain(tx, added);
      appendAudit(tx, door, [{ action: 'domain.created', subject: domain }]);
    });
  } catch (error) {
    if (brokenConstraint(error) !== 'domains_pkey') throw error;
    throw new Fault('conflict', `The domain ${domain} is there already.`, { field: 'domain' });
  }
  return added;
}

/** A domain, and why its record does not show what it should; null: it does. */
export interface CheckedDomain {
  domain: Domain;
  problem: string | null;
}

/**
 * Looks at the record and draws the consequence: verified; still pending; or, where it has been away for long, pending again. A name
 * server that does not answer changes nothing.
 *
 * @throws Fault `not_found`; `conflict` when another tenant has shown that the domain is its own.
 */
export async function checkDomain(
  database: Database,
  textRecords: TextRecords,
  door: Door,
  domain: string,
): Promise<CheckedDomain> {
  const { challenge } = await inTenant(database, door.tenantId, (tx) =>
    known(selectDomain(tx, domain), domain),
  );
  const record = recordOf(domain, challenge);
  const answer = await textRecords(record.name);
  const problem = problemOf(answer, record);
  try {
    return await inTenant(database, door.tenantId, async (tx) => {
      const before = await known(lockDomain(tx, domain), domain);
      // Removed and added anew meanwhile: it has another value to show.
      if (before.challenge !== challenge) throw unknownDomain(domain);
      const after = answer.kind === 'silent' ? before : seen(before, problem === null, door.now);
      write(tx, door, before, { ...after, checkedAt: door.now });
      return { domain: { ...after, checkedAt: door.now }, problem };
    });
  } catch (error) {
    if (brokenConstraint(error) !== 'tenant_locators_key') throw error;
    throw new Fault(
      'conflict',
      `Another organisation has verified ${domain}: it must remove it before you can, or ask the operator of the gateway.`,
      { field: 'domain' },
    );
  }
}

/**
 * Looks again at verified domains for which it is time. Answers how many there were.
 *
 * @throws AggregateError of those for which it failed, after the others were looked at.
 */
export async function checkDueDomains(
  database: Database,
  textRecords: TextRecords,
  now: Date,
  most: number,
): Promise<number> {
  const due = await findDueDomains(database, now, most);
  const failures: unknown[] = [];
  const check = async ({ tenantId, domain }: (typeof due)[number]) => {
    const door: Door = { tenantId, actor: { kind: 'system', rule: 'domain check' }, now, requestId: null };
    await checkDomain(database, textRecords, door, domain).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(due.map(check));
  if (failures.length > 0) {
    throw new AggregateError(failures, `${failures.length} of ${due.length} domains could not be looked at`);
  }
  return due.length;
}

function seen(before: Domain, isThere: boolean, now: Date): Domain {
  if (isThere) return { ...before, verifiedAt: before.verifiedAt ?? now, missingSince: null };
  if (before.verifiedAt === null) return before;
  const missingSince = before.missingSince ?? now;
  const isLost = now.getTime() - missingSince.getTime() >= missingMsMax;
  return { ...before, missingSince, verifiedAt: isLost ? null : before.verifiedAt };
}

function write(tx: TenantTransaction, door: Door, before: Domain, after: Domain): void {
  const { domain, verifiedAt } = after;
  const checkAt = verifiedAt && new Date(door.now.getTime() + limits.domainCheckHours * hourMs);
  updateDomain(tx, domain, { ...after, checkAt });
  if (before.missingSince?.getTime() !== after.missingSince?.getTime()) lookForAlerts(tx);
  if (before.verifiedAt === null && verifiedAt !== null) {
    locate(tx, 'domain', domain);
    appendAudit(tx, door, [{ action: 'domain.verified', subject: domain }]);
  }
  if (before.verifiedAt !== null && verifiedAt === null) {
    dislocate(tx, 'domain', [domain]);
    lookForAlerts(tx);
    appendAudit(tx, door, [
      { action: 'domain.lapsed', subject: domain, before: { verifiedAt: before.verifiedAt } },
    ]);
  }
}

function problemOf(answer: TextAnswer, { name, value }: { name: string; value: string }): string | null {
  if (answer.kind === 'silent') {
    return `The name servers do not answer for ${name} (${answer.detail}): try again, or look at the domain's delegation.`;
  }
  if (answer.values.includes(value)) return null;
  return answer.values.length === 0
    ? `There is no TXT record ${name}: add it with the value ${value}. It can take a while until it is seen.`
    : `Of ${answer.values.length} TXT records ${name} none has the value ${value}.`;
}

/** Connections serve it no longer; links and sessions stay. @throws Fault `not_found` */
export async function removeDomain(database: Database, door: Door, domain: string): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const { verifiedAt, missingSince } = await known(lockDomain(tx, domain), domain);
    deleteDomain(tx, domain);
    if (verifiedAt !== null) dislocate(tx, 'domain', [domain]);
    if (missingSince !== null) lookForAlerts(tx);
    appendAudit(tx, door, [{ action: 'domain.deleted', subject: domain, before: { verifiedAt } }]);
  });
}

async function known(found: Promise<Domain | undefined>, domain: string): Promise<Domain> {
  const row = await found;
  if (row === undefined) throw unknownDomain(domain);
  return row;
}

export function unknownDomain(domain: string): Fault {
  return new Fault('not_found', `There is no domain ${domain.slice(0, 300)}.`);
}
