/** A tenant with people in a group that asks for a paid role, and short questions about what each of them is told. */

import type { Door } from '../../src/audit/door.ts';
import type { Database } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import type { ContractDraft } from '../../src/licensing/contract.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { selectUserView } from '../../src/provisioning/user-view-store.ts';
import { defaultSettings, type Settings } from '../../src/tenants/settings.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { compareQueue } from './model.ts';
import { readState, seatsOf } from './state.ts';

export class Scene {
  readonly world: TestWorld;
  readonly staff: GroupId;
  /** In the order in which they came. */
  readonly names: string[] = [];
  private readonly ids = new Map<string, UserId>();

  constructor(world: TestWorld, staff: GroupId) {
    this.world = world;
    this.staff = staff;
  }

  id(name: string): UserId {
    const id = this.ids.get(name);
    if (id === undefined) throw new Error(`nobody is called ${name}`);
    return id;
  }

  /** A second after whoever came before. */
  async person(name: string, attributes = {}): Promise<UserId> {
    this.world.pass(1000);
    const id = await this.world.user(`${name}@example.com`, attributes);
    this.ids.set(name, id);
    this.names.push(name);
    return id;
  }

  /** Each comes, and a second later joins the group. */
  async join(names: readonly string[], group = this.staff): Promise<void> {
    for (const name of names) {
      const id = this.ids.get(name) ?? (await this.person(name));
      this.world.pass(1000);
      await this.world.editGroup(group, { add: [id] });
    }
  }

  leave(name: string, group = this.staff, door: Door = this.world.directoryDoor): Promise<void> {
    return this.world.editGroup(group, { remove: [this.id(name)] }, undefined, door);
  }

  setActive(name: string, active: boolean): Promise<void> {
    return this.world.revise(this.id(name), { active });
  }

  async settings(change: Partial<Settings>): Promise<void> {
    await putSettings(this.world.database, this.world.door, { ...defaultSettings, ...change });
  }

  /** Time passes, and the gateway looks at what is due. */
  async passAndLook(ms: number): Promise<void> {
    this.world.pass(ms);
    await settleDue(this.world.database, this.world.now, 1000);
  }

  async lookAt(instant: string): Promise<void> {
    this.world.now = new Date(instant);
    await settleDue(this.world.database, this.world.now, 1000);
  }

  /** Who has a seat, within the capacity or above it. */
  async seated(): Promise<string[]> {
    const rows = seatsOf(await readState(this.world), 'held', 'overage');
    const ids = new Set(rows.map((row) => row.user_id));
    return this.names.filter((name) => ids.has(this.id(name)));
  }

  async queue(): Promise<string[]> {
    const state = await readState(this.world);
    const names = new Map([...this.ids].map(([name, id]) => [id, name]));
    return seatsOf(state, 'waiting')
      .sort(compareQueue(state))
      .map((row) => names.get(row.user_id) ?? '?');
  }

  /** State, reason and the roles in Blue. */
  async told(name: string): Promise<(string | null | undefined)[]> {
    const { tenantId, database, now } = this.world;
    const view = await inTenant(database, tenantId, (tx) => selectUserView(tx, this.id(name), now));
    const roles = view?.decision?.effective.map(({ role }) => role).join() ?? '';
    return [view?.seat.state, view?.seat.reason, roles];
  }

  async claimedAt(name: string): Promise<Date | null | undefined> {
    const { decisions } = await readState(this.world);
    return decisions.find((row) => row.user_id === this.id(name))?.claimed_at;
  }
}

/** Three seats unless told otherwise; the people come one after the other, and ask for a paid role with priority 10. */
export async function newScene(
  database: Database,
  names: readonly string[],
  contract: Partial<ContractDraft> = {},
): Promise<Scene> {
  const world = await newWorld(database);
  await world.contract({ paidSeats: 3, ...contract });
  const staff = await world.group('Staff');
  await world.map({ group: { id: staff }, priority: 10 });
  const scene = new Scene(world, staff);
  await scene.join(names);
  world.pass(1000);
  return scene;
}

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
