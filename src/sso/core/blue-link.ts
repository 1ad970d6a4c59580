/**
 * Where somebody goes on in Blue. Only addresses below Blue's own origin are made, in the form that Blue's own command
 * line makes them (heyblueteam/cli, cmd/open: `/org/<slug>/workspace/<slug>`); its API answers slugs, never addresses.
 */

import { limits } from '../../kernel/limits.ts';
import type { BlueState } from '../../provisioning/user-view.ts';

export type BlueLink =
  | { kind: 'accept' | 'open'; url: string }
  | { kind: 'workspace'; url: string; name: string }
  /** `url` leads to the organization, also for those that are not listed. */
  | { kind: 'workspaces'; url: string; listed: readonly WorkspaceLink[]; more: number };

interface WorkspaceLink {
  name: string;
  url: string;
}

/** What is known of Blue for one person. */
export interface StandingInBlue {
  state: BlueState;
  address: string | null;
  /** undefined: only the mail leads to it. */
  invitationId?: string | undefined;
  /** By slugs; undefined: not known. */
  own?: { organization: string; workspaces: readonly { name: string; slug: string }[] } | undefined;
}

/** @param app Origin of Blue's application. */
export function blueLinkOf(
  app: string,
  { state, address, invitationId, own }: StandingInBlue,
): BlueLink | undefined {
  if (state === 'active') return own === undefined ? { kind: 'open', url: `${app}/` } : intoBlue(app, own);
  if (state !== 'invited' || invitationId === undefined || address === null) return undefined;
  const query = `id=${encodeURIComponent(invitationId)}&email=${encodeURIComponent(address)}`;
  return { kind: 'accept', url: `${app}/accept-invitation?${query}` };
}

/** By name as people count: 2 before 10, é beside e. */
const byName = new Intl.Collator('en', { numeric: true });

function intoBlue(app: string, { organization, workspaces }: NonNullable<StandingInBlue['own']>): BlueLink {
  const url = `${app}/org/${encodeURIComponent(organization)}`;
  const links = workspaces
    .map(({ name, slug }) => ({ name, url: `${url}/workspace/${encodeURIComponent(slug)}` }))
    .sort((a, b) => byName.compare(a.name, b.name));
  const [first, ...others] = links;
  if (first === undefined) return { kind: 'open', url };
  if (others.length === 0) return { kind: 'workspace', ...first };
  const listed = links.slice(0, limits.workspaceLinksMax);
  return { kind: 'workspaces', url, listed, more: links.length - listed.length };
}

/** undefined: the person chooses first. */
export function straightTo(link: BlueLink | undefined): string | undefined {
  return link?.kind === 'workspaces' ? undefined : link?.url;
}
