/** What each person got and why: read from the gateway and from Blue, shown as a table, compared with the stories. */

import type { Api } from './api.ts';
import type { BlueState } from './blue-double/server.ts';
import type { Ending } from './story.ts';
import type { DemoTenant } from './tenant.ts';

interface User {
  id: string;
  userName: string;
  displayName: string | null;
  email: string | null;
  active: boolean;
  requestedRoles: { role: string; workspace: string }[];
  effectiveRoles: { role: string; workspace: string }[];
  seat: { state: string; position: number | null };
}

export interface Person {
  user: User;
  groups: string[];
  /** As Blue has it: role by workspace name. */
  inBlue: string[];
  why: string;
}

interface Sources {
  api: Api;
  /** The gateway's SCIM endpoints, for the groups. */
  scimUrl: string;
  tenant: DemoTenant;
  blue: BlueState;
}

export async function readOutcome({ api, scimUrl, tenant, blue }: Sources): Promise<Person[]> {
  const { items } = await api.get<{ items: User[] }>(`/tenants/${tenant.slug}/users?limit=200`);
  const groups = await groupsByUser(scimUrl, tenant.directories.okta.token);
  return await Promise.all(
    items.map(async (user) => {
      const { sentence } = await api.get<{ sentence: string }>(
        `/tenants/${tenant.slug}/users/${user.id}/explain`,
      );
      return { user, groups: groups.get(user.id) ?? [], inBlue: inBlue(user, tenant, blue), why: sentence };
    }),
  );
}

async function groupsByUser(scimUrl: string, token: string): Promise<Map<string, string[]>> {
  const answer = await fetch(`${scimUrl}/Users?attributes=groups&count=1000`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { Resources } = (await answer.json()) as {
    Resources: { id: string; groups?: { display: string }[] }[];
  };
  return new Map(Resources.map(({ id, groups = [] }) => [id, groups.map(({ display }) => display)]));
}

/** Asks Blue itself, not the gateway. */
function inBlue(user: User, { workspaces }: DemoTenant, blue: BlueState): string[] {
  return [...workspaces].flatMap(([id, name]) =>
    blue
      .members(id)
      .filter(({ email }) => email === user.email)
      .map(({ level, customRole }) => `${customRole ?? level} in ${name}`),
  );
}

/** Where the outcome is not the one the stories end with, in sentences. */
export function surprises(people: readonly Person[], ends: readonly Ending[], tenant: DemoTenant): string[] {
  return ends.flatMap((end) => {
    const person = people.find(({ user }) => user.userName === end.userName);
    if (person === undefined) return [`${end.userName} is missing`];
    const { user } = person;
    const [effective] = user.effectiveRoles;
    const found = {
      active: user.active,
      seat: user.seat.state,
      position: user.seat.position,
      role: effective?.role ?? null,
      workspace: effective === undefined ? null : (tenant.workspaces.get(effective.workspace) ?? null),
      inBlue: person.inBlue.length,
    };
    const expected = {
      active: end.active,
      seat: end.seat,
      position: end.position ?? null,
      role: end.role,
      workspace: end.workspace ?? null,
      inBlue: end.role === null ? 0 : 1,
    };
    const differs = JSON.stringify(found) !== JSON.stringify(expected);
    return differs
      ? [`${end.userName}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`]
      : [];
  });
}

const head = ['person', 'groups', 'requested role', 'role in Blue', 'seat', 'why'];

/** The table, in lines no longer than `width` where the last column allows it. */
export function renderTable(people: readonly Person[], tenant: DemoTenant, width: number): string {
  const place = ({ role, workspace }: { role: string; workspace: string }) =>
    `${role} in ${tenant.workspaces.get(workspace) ?? workspace}`;
  const rows = people.map(({ user, groups, inBlue: roles, why }) => [
    user.displayName ?? user.userName,
    groups.join(', '),
    user.requestedRoles.map(place).join(', '),
    roles.join(', '),
    `${user.seat.state}${user.seat.position === null ? '' : ` (${user.seat.position})`}`,
    why,
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const before = widths.slice(0, -1).reduce((sum, columnWidth) => sum + columnWidth + 2, 0);
  widths[widths.length - 1] = Math.max(40, Math.min(widths.at(-1) ?? 0, width - before));
  const line = (cells: readonly string[]) => wrapRow(cells, widths, before);
  const rule = widths.map((columnWidth) => '─'.repeat(columnWidth)).join('  ');
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** The last cell goes on below itself. */
function wrapRow(cells: readonly string[], widths: readonly number[], before: number): string {
  const [first = '', ...more] = wrap(cells.at(-1) ?? '', widths.at(-1) ?? 40);
  const start = cells.slice(0, -1).map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2));
  return [start.join('') + first, ...more.map((text) => ' '.repeat(before) + text)].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
