/** A client for a tenant's connection, and Blue's lists read through it as one state. */

import type { Dispatcher } from 'undici';
import type { Clock } from '../kernel/clock.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { ActualInvitation, ActualMember } from './actual-state.ts';
import { BlueClient } from './blue-client.ts';
import type { Answer, BlueFailure } from './blue-failure.ts';
import type { Connection, Organization } from './connection.ts';

export interface ClientServices {
  /** Blue's clock is not moved with the gateway's: pauses, quotas and what runs out there keep real time. */
  realClock: Clock;
  secrets: SecretBox;
  /** Blue's GraphQL endpoint for tenants that set none. */
  blueApiUrl: string;
  /** What connects to Blue. */
  blueAgent: Dispatcher;
}

/** @param signal Ends requests in flight. @throws Error when the secret was sealed with another key. */
export function clientOf(
  { realClock, secrets, blueApiUrl, blueAgent }: ClientServices,
  { organizationId, tokenId, tokenSecret, apiUrl }: Connection,
  signal?: AbortSignal,
): BlueClient {
  return new BlueClient({
    url: apiUrl ?? blueApiUrl,
    organizationId,
    tokenId,
    tokenSecret: secrets.open(tokenSecret),
    clock: realClock,
    dispatcher: blueAgent,
    ...(signal === undefined ? {} : { signal }),
  });
}

export interface BlueLists {
  organization: Organization;
  members: ActualMember[];
  invitations: ActualInvitation[];
}

/**
 * Reads everything. Half of it is worse than none, so that any failure is the answer; but a workspace whose invitations
 * the token may not see is one that it can't administer.
 */
export async function readLists(client: BlueClient): Promise<Answer<BlueLists>> {
  const identity = await client.identity();
  if (!identity.ok) return identity;
  const { organizationId, organizationSlug: slug, ownerUserId, selfUserId, level } = identity.value;
  if (level !== 'OWNER') return { ok: false, failure: { kind: 'forbidden', message: `level ${level}` } };
  await client.paced();
  const workspaces = await client.listWorkspaces();
  if (!workspaces.ok) return workspaces;
  await client.paced();
  const customRoles = await client.listCustomRoles(workspaces.value.map(({ id }) => id));
  if (!customRoles.ok) return customRoles;
  // Invitations before people: whoever accepts meanwhile is then seen twice, not missed.
  const invitations: ActualInvitation[] = [];
  const administered: Organization['workspaces'] = [];
  for (const workspace of workspaces.value) {
    await client.paced();
    const open = await client.listInvitations(workspace.id);
    if (!open.ok && open.failure.kind !== 'forbidden') return open;
    if (!open.ok) continue;
    administered.push(workspace);
    invitations.push(...open.value);
  }
  await client.paced();
  const members = await client.listMembers();
  if (!members.ok) return members;
  const addressesHidden = members.value.some(({ address }) => address === null);
  return {
    ok: true,
    value: {
      organization: {
        ...{ organizationId, slug, ownerUserId, selfUserId, addressesHidden },
        workspaces: administered,
        customRoles: customRoles.value,
      },
      members: members.value.map(({ blueUserId, address, memberships, lastActiveAt }) => ({
        ...{ blueUserId, address, memberships, lastActiveAt },
      })),
      invitations: withoutMembers(invitations, members.value),
    },
  };
}

/** Invitations that were accepted while the lists were read. */
function withoutMembers(
  invitations: readonly ActualInvitation[],
  members: readonly ActualMember[],
): ActualInvitation[] {
  const places = new Set(
    members.flatMap(({ address, memberships }) =>
      memberships.map(({ workspace }) => `${workspace} ${address}`),
    ),
  );
  return invitations.filter(({ workspace, address }) => !places.has(`${workspace} ${address}`));
}

/** A failure that ends what is under way; the flow that began it says what becomes of it. */
export class BlueTrouble extends Error {
  readonly failure: BlueFailure;

  constructor(failure: BlueFailure) {
    super(`Blue: ${failure.kind}`);
    this.name = 'BlueTrouble';
    this.failure = failure;
  }
}

/** @throws BlueTrouble. */
export function unwrapped<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw new BlueTrouble(answer.failure);
}
