/** Where somebody goes on in Blue. Only addresses below Blue's own origin are made. */

import type { BlueState } from '../../provisioning/user-view.ts';

export interface BlueLink {
  kind: 'accept' | 'open';
  url: string;
}

/** @param app Origin of Blue's application. @param invitationId undefined: only the mail leads to it. */
export function blueLinkOf(
  app: string,
  of: { state: BlueState; address: string | null; invitationId: string | undefined },
): BlueLink | undefined {
  const { state, address, invitationId } = of;
  if (state === 'active') return { kind: 'open', url: `${app}/` };
  if (state !== 'invited' || invitationId === undefined || address === null) return undefined;
  const query = `id=${encodeURIComponent(invitationId)}&email=${encodeURIComponent(address)}`;
  return { kind: 'accept', url: `${app}/accept-invitation?${query}` };
}
