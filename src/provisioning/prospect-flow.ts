/** What edits would make of what decisions rest on, each with what of the tenant it needs: for whoever asks before anybody makes them. */

import type { Door } from '../audit/door.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { Settings } from '../tenants/settings.ts';
import { selectSettings } from '../tenants/settings-store.ts';
import { rulesOfAdoption } from './adoption-flow.ts';
import { contractWithout } from './contract-flow.ts';
import type { Edit } from './edit.ts';
import { requireFreeFallbacks } from './fallback-flow.ts';
import { intakeProspect } from './intake-flow.ts';
import { checkMapping, mappingsAfter } from './mapping-flow.ts';
import { selectMappings } from './mapping-store.ts';
import { refuseActivated } from './mapping-version.ts';
import { draftTarget, unknownDraft, versionTarget } from './mapping-version-flow.ts';
import { selectDraft } from './mapping-version-store.ts';
import { personOf, pinOf, refuseInactive, refusePast, refuseVain } from './pin-flow.ts';
import type { Pool } from './pool.ts';
import {
  byCatalogue,
  byContract,
  byDefaultWorkspaces,
  byMappings,
  byPin,
  bySettings,
  bySubPools,
  type Prospect,
  withBase,
  withLine,
} from './prospect.ts';
import { folded, turnedBy } from './settings-flow.ts';
import { subPoolsWith, subPoolsWithout } from './sub-pool-flow.ts';

/** What would become of the pool, and whom it would concern. @throws Fault as the edit itself would. */
export async function prospectOf(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  edit: Edit,
): Promise<Prospect> {
  switch (edit.op) {
    case 'contract':
      await requireFreeFallbacks(tx, [{ role: edit.contract.fallbackRole, field: 'fallbackRole' }]);
      return byContract(pool, withBase(pool, edit.contract, door.now), door.now);
    case 'amendment':
      return byContract(pool, withLine(pool, edit.line), door.now);
    case 'withdrawal':
      return byContract(pool, (await contractWithout(tx, pool, edit.lineId, door.now)).contract, door.now);
    case 'pin':
      refusePast(edit.pin, door.now);
      return await pinProspect(tx, pool, edit);
    case 'unpin':
      await personOf(tx, edit.userId);
      await pinOf(tx, edit.userId);
      return byPin(pool, edit.userId, null);
    case 'import':
      return await intakeProspect(tx, door, pool, edit.people);
    // Whoever is adopted has what they had, and nobody else has less.
    case 'adopt':
      await rulesOfAdoption(tx, pool, door.now);
      return { pool, affected: {} };
    case 'settings':
      return await settingsProspect(tx, pool, folded(edit.settings));
    case 'subPool':
      return bySubPools(pool, subPoolsWith(pool, edit.subPool).after);
    case 'removeSubPool':
      return bySubPools(pool, (await subPoolsWithout(tx, pool, edit.name)).after);
    case 'defaultWorkspaces':
      return byDefaultWorkspaces(pool, edit.workspaces);
    case 'catalogue':
      return byCatalogue(pool, edit.roles);
    case 'settle':
      return { pool, affected: {}, isSettling: pool.batch !== null };
    case 'draft': {
      const [draft, before] = await Promise.all([selectDraft(tx, edit.id), selectMappings(tx)]);
      if (draft === undefined) throw unknownDraft(edit.id);
      refuseActivated(draft);
      const asked = { ...draft, rebase: edit.rebase };
      return byMappings(pool, before, await draftTarget(tx, pool, asked, before, 'asTheyAre'));
    }
    case 'rollback': {
      const before = await selectMappings(tx);
      return byMappings(pool, before, await versionTarget(tx, edit.version, before, 'asTheyAre'));
    }
    default: {
      const before = await selectMappings(tx);
      await checkMapping(tx, pool, before, edit, door.now);
      return byMappings(pool, before, await mappingsAfter(tx, before, edit, 'asTheyAre'));
    }
  }
}

async function pinProspect(
  tx: TenantTransaction,
  pool: Pool,
  { userId, pin }: Extract<Edit, { op: 'pin' }>,
): Promise<Prospect> {
  const person = await personOf(tx, userId);
  refuseInactive(pin, person.active);
  refuseVain(pin, person, pool.rules);
  return byPin(pool, userId, pin);
}

/** Ranks are stored: those of another order are known only once everybody with a rank is looked at. */
async function settingsProspect(tx: TenantTransaction, pool: Pool, after: Settings): Promise<Prospect> {
  const before = await selectSettings(tx);
  const prospect = bySettings(pool, before, after, await turnedBy(tx, before, after));
  if (before.order === after.order) return prospect;
  return { ...prospect, affected: { ...prospect.affected, seats: ['waiting', 'overage'] } };
}
