/** Sets the demo's tenant up over the admin API, as an account manager and an IT admin would. */

import type { Api } from './api.ts';
import { demoSeed, demoToken } from './blue-double/seed.ts';
import type { Story } from './story.ts';

export interface DemoTenant {
  slug: string;
  /** One for each recording, with its token. */
  directories: Record<Story['tenant']['directory'], { id: string; token: string }>;
  /** Blue's workspaces, names by id. */
  workspaces: Map<string, string>;
}

const slug = 'demo';

/** @param blueUrl Of the local stand-in for Blue. */
export async function setUpTenant(
  api: Api,
  blueUrl: string,
  { contract, mappings }: Story['tenant'],
): Promise<DemoTenant> {
  await api.post('/tenants', { name: demoSeed.organization.name, slug });
  await api.put(`/tenants/${slug}/blue`, {
    organizationId: demoSeed.organization.id,
    tokenId: demoToken.uid,
    tokenSecret: demoToken.secret,
    apiUrl: blueUrl,
    mode: 'apply',
    deactivation: 'leave_workspaces',
    defaultWorkspaces: [],
    drift: 'repair',
  });
  // The recordings were made in minutes and tell of seats that change hands at once: no place is kept for an hour.
  await api.put(`/tenants/${slug}/settings`, { holdMinutes: 0 });
  // Blue's own people are counted before the first seat is given: the owner has one.
  await api.post(`/tenants/${slug}/blue/sync`, { drift: true });
  await api.put(`/tenants/${slug}/contract`, contractOf(contract));
  const workspaces = await workspaceNames(api);
  for (const { priority, group, role, workspace } of mappings) {
    const ids = [...workspaces].filter(([, name]) => name === workspace).map(([id]) => id);
    await api.post(`/tenants/${slug}/mappings`, { group, role, workspaces: ids, priority });
  }
  const [okta, entra] = await Promise.all([createDirectory(api, 'okta'), createDirectory(api, 'entra')]);
  return { slug, directories: { okta, entra }, workspaces };
}

/** A year that contains today. */
function contractOf({ paidSeats, policy, fallbackRole }: Story['tenant']['contract']) {
  const year = new Date().getUTCFullYear();
  return {
    kind: 'annual',
    tier: `${paidSeats} seats`,
    paidSeats,
    startsOn: `${year}-01-01`,
    endsOn: `${year}-12-31`,
    paymentSchedule: 'annual',
    overage: { policy },
    fallbackRole,
  };
}

async function workspaceNames(api: Api): Promise<Map<string, string>> {
  const { items } = await api.get<{ items: { id: string; name: string }[] }>(
    `/tenants/${slug}/blue/workspaces`,
  );
  return new Map(items.map(({ id, name }) => [id, name]));
}

async function createDirectory(api: Api, kind: 'okta' | 'entra') {
  const { id } = await api.post<{ id: string }>(`/tenants/${slug}/directories`, { name: kind, kind });
  const path = `/tenants/${slug}/directories/${id}/tokens`;
  const { token } = await api.post<{ token: string }>(path, { name: 'demo' });
  return { id, token };
}
