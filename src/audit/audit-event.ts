/** Who did what to whom: the shape of an entry of the audit trail. */

import type { ClientId, ConnectionId, DirectoryId } from '../kernel/ids.ts';

export type Actor =
  | { kind: 'directory'; id: DirectoryId; name: string; token: string; client?: ClientId }
  | (Administrator & {
      /** The second person, where the edit needed one: the first is who asked for it. */
      approvedBy?: Administrator;
    })
  /** An identity provider that vouched for somebody who signed in. */
  | { kind: 'connection'; id: ConnectionId; name: string }
  /** Of signals, over its own stream. */
  | { kind: 'signal_receiver'; id: string; name: string }
  /** A rule of the gateway itself: promotion, a contract's date, drift. */
  | { kind: 'system'; rule: string };

export type Administrator =
  | { kind: 'operator'; id: string; name: string }
  | { kind: 'key'; id: string; name: string; role: 'owner' | 'admin' | 'auditor' };

/** As people are told who did it. */
export function nameOf(actor: Actor): string {
  if (actor.kind === 'system') return actor.rule;
  const { approvedBy = undefined } = actor.kind === 'operator' || actor.kind === 'key' ? actor : {};
  return approvedBy === undefined ? actor.name : `${actor.name}, approved by ${approvedBy.name}`;
}

export interface AuditEvent {
  /** `<subject kind>.<past participle>`, as `user.created`, `decision.changed`. */
  action: string;
  /** Id of what it was done to. */
  subject: string | null;
  before?: unknown;
  after?: unknown;
  /** What a decision was made from, so that it can be made again. */
  inputs?: unknown;
  /** Left out: the door's. */
  requestId?: string | null | undefined;
}
