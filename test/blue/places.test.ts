/** What is said of places that Blue does not have, and what another catalogue changes in Blue. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstCatalogue, type RoleEntry, type RoleKey } from '../../src/licensing/catalogue.ts';
import { adoptCatalogue } from '../../src/provisioning/catalogue-adoption-flow.ts';
import { putCatalogue } from '../../src/provisioning/catalogue-flow.ts';
import { activateDraft } from '../../src/provisioning/draft-activation-flow.ts';
import { replaceMapping } from '../../src/provisioning/mapping-flow.ts';
import type { SetDraft } from '../../src/provisioning/mapping-version.ts';
import { createDraft, rollBack } from '../../src/provisioning/mapping-version-flow.ts';
import { setPin } from '../../src/provisioning/pin-flow.ts';
import { previewEdit } from '../../src/provisioning/preview-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import { type BlueTenant, type Stage, stage } from './sync-support.ts';

let s: Stage;
beforeAll(async () => {
  s = await stage();
});
afterAll(() => s.close());

const refusal = (field: string, text: string) => ({
  code: 'invalid',
  field,
  message: expect.stringContaining(text),
});

async function readTenant(): Promise<BlueTenant> {
  const t = await s.tenant();
  await t.sync();
  return t;
}

describe('a mapping', () => {
  it('of anything is taken while Blue’s lists were not read', async () => {
    const t = await s.tenant();
    await t.role('custom:Reviwer', ['gone']);
  });

  it('is refused where Blue has no such workspace', async () => {
    const t = await readTenant();
    await expect(t.role('client', ['w1', 'gone'])).rejects.toMatchObject(refusal('workspaces', 'gone'));
    await t.role('client', ['*']);
  });

  it('is refused where none of the workspaces has the custom role, and told which there are', async () => {
    const t = await readTenant();
    await expect(t.role('custom:Reviwer')).rejects.toMatchObject(refusal('role', 'they have Reviewer'));
    await expect(t.role('custom:Reviewer', ['w2'])).rejects.toMatchObject(refusal('role', 'they have none'));
    await t.role('custom:Reviewer', ['*']);
    await t.write({ defaultWorkspaces: ['w2'] });
    await t.sync();
    await expect(t.role('custom:Reviewer', ['*'])).rejects.toMatchObject(refusal('role', 'custom:Reviewer'));
  });

  it('is taken where some have it: the people of the others are told so, with the workspace', async () => {
    const t = await readTenant();
    const { group } = await t.role('custom:Reviewer', ['w1', 'w2']);
    const ann = await t.user('ann', [group]);
    await t.sync();
    expect(await t.blue(ann)).toBe('refused PROJECT_USER_ROLE_NOT_FOUND');
    expect(t.invited()).toEqual(['ann MEMBER w1']);
  });

  it('can be changed in the rest when a workspace is gone since', async () => {
    const t = await s.tenant();
    const { group, mapping } = await t.role('custom:Old', ['gone']);
    await t.sync();
    const draft = {
      ...{ group: { id: group }, role: 'custom:Old', workspaces: ['gone'], priority: 7, fallbackRole: null },
      ...{ validFrom: null, validUntil: null, mayPreempt: false, approval: null, subPool: null },
    };
    const replace = (change: Partial<typeof draft>) =>
      replaceMapping(s.test.database, t.door(), mapping, { ...draft, ...change });
    expect(await replace({})).toMatchObject({ priority: 7 });
    await expect(replace({ workspaces: ['gone', 'w9'] })).rejects.toMatchObject(refusal('workspaces', 'w9'));
    await expect(replace({ role: 'custom:New' })).rejects.toMatchObject(refusal('role', 'custom:New'));
  });
});

describe('a draft of the mappings', () => {
  const usual = { priority: 50, fallbackRole: null, validFrom: null, validUntil: null };
  const rest = { mayPreempt: false, approval: null, subPool: null };
  const drafted = async (t: BlueTenant, mappings: SetDraft['mappings']) => {
    const written = { name: 'D', basedOn: undefined, mappings, department: null, goLiveOn: null };
    const { id } = await createDraft(s.test.database, t.door(), written);
    const asked = { op: 'draft', id, rebase: false } as const;
    const page = { after: '', limit: 10 };
    return {
      preview: () => previewEdit(s.test.database, t.door(), asked, page),
      activate: (at: Date | null = null) =>
        activateDraft(s.test.database, t.door(), id, { at, rebase: false }),
    };
  };

  it('is refused for what it adds or changes, told by its place, in the preview, at once and when it is scheduled', async () => {
    const t = await readTenant();
    const { group, mapping } = await t.role('client');
    const standing = { ...usual, ...rest, group: { id: group }, id: mapping, priority: 1 };
    const added = { ...usual, ...rest, group: { displayName: 'New' }, id: null };
    const asBefore = { ...standing, role: 'client', workspaces: ['w1'] };
    for (const [mappings, field, text] of [
      [[asBefore, { ...added, role: 'client', workspaces: ['gone'] }], 'mappings.1.workspaces', 'gone'],
      [
        [asBefore, { ...added, role: 'custom:Reviwer', workspaces: ['w1'] }],
        'mappings.1.role',
        'they have Reviewer',
      ],
      [[{ ...asBefore, workspaces: ['w1', 'w9'] }], 'mappings.0.workspaces', 'w9'],
    ] as const) {
      const draft = await drafted(t, mappings);
      const later = new Date(t.clock.now().getTime() + 3_600_000);
      for (const asked of [draft.preview, draft.activate, () => draft.activate(later)]) {
        await expect(asked()).rejects.toMatchObject(refusal(field, text));
      }
    }
    const fit = await drafted(t, [asBefore, { ...added, role: 'custom:Reviewer', workspaces: ['w1'] }]);
    await fit.preview();
    await fit.activate();
  });

  it('carries along what stood before, and a rollback brings it back', async () => {
    const t = await s.tenant();
    const { group, mapping } = await t.role('custom:Old', ['gone']);
    await t.sync();
    const standing = { ...usual, ...rest, group: { id: group }, id: mapping, priority: 1 };
    const old = { ...standing, role: 'custom:Old', workspaces: ['gone'] };
    const added = { ...usual, ...rest, group: { displayName: 'New' }, id: null };
    await (await drafted(t, [old, { ...added, role: 'client', workspaces: ['w1'] }])).activate();
    await (await drafted(t, [{ ...old, priority: 9 }])).activate();
    await (await drafted(t, [])).activate();
    expect(await rollBack(s.test.database, t.door(), 1)).toBe(5);
  });
});

describe('the default workspaces', () => {
  it('are refused where Blue has none of that id; what stood there stays', async () => {
    const unread = await s.tenant();
    await unread.write({ defaultWorkspaces: ['w1', 'old'] });
    await unread.sync();
    const refused = unread.write({ defaultWorkspaces: ['old', 'w9'] });
    await expect(refused).rejects.toMatchObject(refusal('defaultWorkspaces', 'w9'));
    await unread.write({ defaultWorkspaces: ['old', 'w2'] });
  });
});

describe('a pin', () => {
  it('is refused for a workspace, or a custom role, that Blue does not have', async () => {
    const t = await readTenant();
    const ann = await t.user('ann');
    const pin = (role: string, workspaces: string[] | null) =>
      setPin(s.test.database, t.door(), ann, { role, workspaces, reason: 'x', until: null, reserved: false });
    await expect(pin('client', ['w9'])).rejects.toMatchObject(refusal('workspaces', 'w9'));
    await expect(pin('custom:Reviwer', null)).rejects.toMatchObject(refusal('role', 'they have Reviewer'));
    await pin('custom:Reviewer', null);
  });
});

describe('a default role', () => {
  it('is refused where no default workspace has the custom role', async () => {
    const t = await s.tenant({ connection: { defaultWorkspaces: ['w1'] } });
    await t.sync();
    const choose = (defaultRole: string) =>
      putSettings(s.test.database, t.door(), { ...defaultSettings, defaultRole });
    await expect(choose('custom:Reviwer')).rejects.toMatchObject(
      refusal('defaultRole', 'they have Reviewer'),
    );
    await choose('custom:Reviewer');
  });
});

describe('another catalogue', () => {
  const turn = async (t: BlueTenant, change: Partial<Record<RoleKey, Partial<RoleEntry>>>) => {
    const roles = firstCatalogue.roles.map((role) => ({ ...role, ...change[role.key] }));
    const actor = { kind: 'system', rule: 'test' } as const;
    await putCatalogue(s.test.database, actor, t.clock.now(), { roles, reason: 'test' });
    await adoptCatalogue(s.test.database, t.clock.now(), 100);
    await t.sync();
  };

  it('carries another level to those who have the role', async () => {
    const t = await readTenant();
    const { group } = await t.role('client');
    const ann = await t.user('ann', [group]);
    await t.sync();
    t.double.state.accept('ann@acme.example');
    await t.sync();
    expect(t.held()).toEqual(['ann CLIENT']);
    await turn(t, { client: { level: 'COMMENT_ONLY' } });
    expect([t.held(), await t.blue(ann)]).toEqual([['ann COMMENT_ONLY'], 'active']);
    await turn(t, {});
    expect(t.held()).toEqual(['ann CLIENT']);
  });

  it('lets go whoever waited for a seat in Blue, and counts anew who is paid there', async () => {
    const t = await s.tenant({ paidSeats: 1 });
    const { group } = await t.role('team_member');
    const [ann, bob] = [await t.user('ann', [group]), await t.user('bob', [group])];
    await t.sync();
    expect([await t.blue(ann), await t.blue(bob)].filter((state) => state === 'invited')).toHaveLength(0);
    await turn(t, { team_member: { billing: 'free' } });
    expect([await t.blue(ann), await t.blue(bob)]).toEqual(['invited', 'invited']);
    await turn(t, {});
  });
});
