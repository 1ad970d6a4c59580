/** Who calls and in which context: reads Blue's two header families and answers the credential questions. */

import type { IncomingHttpHeaders } from 'node:http';
import { blueError } from './errors.ts';
import type { Person, Token, WorkspaceRecord } from './types.ts';
import type { World } from './world.ts';

/** Current name first, then the legacy ones that are still accepted (API docs, authentication, making-requests). */
const headerNames = {
  tokenId: ['blue-token-id', 'x-bloo-token-id'],
  tokenSecret: ['blue-token-secret', 'x-bloo-token-secret'],
  organization: ['blue-org-id', 'x-bloo-company-id', 'x-company-id'],
  workspace: ['blue-workspace-id', 'x-bloo-project-id', 'x-project-id', 'x-bloo-workspace-id'],
} as const;

export const secretHeaders: ReadonlySet<string> = new Set(['authorization', ...headerNames.tokenSecret]);

export interface Call {
  readonly world: World;
  readonly caller: Person;
  readonly token: Token;
  /** The organization header as sent, id or slug; already checked to be the caller's. */
  readonly organization: string | undefined;
  readonly workspace: string | undefined;
}

function header(headers: IncomingHttpHeaders, purpose: keyof typeof headerNames): string | undefined {
  for (const name of headerNames[purpose]) {
    const value = headers[name];
    if (typeof value === 'string') return value;
  }
  return undefined;
}

/** @throws UNAUTHENTICATED, COMPANY_NOT_FOUND, COMPANY_BANNED */
export function openCall(world: World, headers: IncomingHttpHeaders): Call {
  // A token pair only counts where `Authorization` is absent, and no bearer token is good here.
  if (headers.authorization !== undefined) throw blueError('UNAUTHENTICATED');
  const id = header(headers, 'tokenId');
  const secret = header(headers, 'tokenSecret');
  const token = world.tokens.find((one) => one.uid === id && one.secret === secret);
  const caller = token && world.people.get(token.userId);
  if (token === undefined || caller === undefined) throw blueError('UNAUTHENTICATED');
  if (token.expiredAt !== null && token.expiredAt <= world.now()) throw blueError('UNAUTHENTICATED');
  const organization = header(headers, 'organization');
  if (organization !== undefined) ownOrganization(world, caller, organization);
  if (world.organization.isBanned) throw blueError('COMPANY_BANNED');
  return { world, caller, token, organization, workspace: header(headers, 'workspace') };
}

/** @throws COMPANY_NOT_FOUND unless `idOrSlug` is an organization of the caller's. */
export function ownOrganization(world: World, caller: Person, idOrSlug: string | null | undefined): void {
  const { id, slug } = world.organization;
  const known = idOrSlug === id || idOrSlug === slug;
  if (!known || caller.companyLevel === null) throw blueError('COMPANY_NOT_FOUND');
}

/** The workspace of the header: workspace-scoped mutations take it from nowhere else. */
export function headerWorkspace(call: Call): WorkspaceRecord {
  const workspace = call.workspace === undefined ? undefined : call.world.workspace(call.workspace);
  if (workspace === undefined) throw blueError('PROJECT_NOT_FOUND');
  return workspace;
}

/** Whether the caller administers the workspace as its OWNER or ADMIN. */
export function administers(call: Call, workspaceId: string): boolean {
  const level = call.world.membership(call.caller.id, workspaceId)?.level;
  return level === 'OWNER' || level === 'ADMIN';
}
