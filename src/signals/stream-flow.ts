/** What a receiver does with its stream (Shared Signals Framework 1.0 §8): each receiver has one. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { newId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { checkOutboundUrl } from '../outbound/outbound-client.ts';
import { readKeyRing } from '../sso/op/key-flow.ts';
import { claimsOf, type Signal } from './security-event.ts';
import { countVerifications, deleteSignals, insertVerification, selectSignals } from './signal-store.ts';
import type { Poll, StreamDraft, StreamStatus } from './stream-request.ts';
import {
  deleteStream,
  insertStream,
  lockStream,
  type Receiver,
  type Stream,
  selectStream,
  updateStream,
} from './stream-store.ts';
import { signSecurityEvent } from './token-client.ts';

export interface StreamServices {
  database: Database;
  clock: Clock;
  realClock: Clock;
  secrets: SecretBox;
  publicUrl: string;
  allowPrivateNetworks: boolean;
}

export interface Asker {
  receiver: Receiver;
  requestId: string;
}

/** @throws Fault `conflict` for a second stream, `invalid` for an endpoint where nothing is sent to. */
export async function createStream(
  services: StreamServices,
  asker: Asker,
  draft: StreamDraft,
): Promise<Stream> {
  checkEndpoint(services, draft);
  const now = services.clock.now();
  const stream: Stream = {
    ...{ id: newId<string>(now.getTime()), status: 'enabled', statusReason: null },
    ...sealed(services.secrets, draft),
  };
  const { receiver } = asker;
  try {
    await inTenant(services.database, receiver.tenantId, async (tx) => {
      insertStream(tx, receiver.id, stream, now);
      note(tx, doorOf(asker, now), 'signal_stream.created', stream);
    });
  } catch (error) {
    if (brokenConstraint(error) !== 'signal_streams_receiver') throw error;
    throw new Fault('conflict', 'This receiver has a stream: change that one, or delete it first.');
  }
  return stream;
}

/** @param read What is to become of it. @throws Fault `not_found`; `invalid`. */
export async function reviseStream(
  services: StreamServices,
  asker: Asker,
  streamId: string,
  read: (before: StreamDraft) => StreamDraft,
): Promise<Stream> {
  const { secrets } = services;
  return await changeStream(services, asker, streamId, (before) => {
    const header = before.authorizationHeader;
    const draft = read({ ...before, authorizationHeader: header && secrets.open(header) });
    checkEndpoint(services, draft);
    return { ...before, ...sealed(secrets, draft) };
  });
}

/** A paused stream keeps what comes; a disabled one loses it. @throws Fault `not_found` */
export async function setStreamStatus(
  services: StreamServices,
  asker: Asker,
  { streamId, status, reason }: { streamId: string; status: StreamStatus; reason: string | null },
): Promise<Stream> {
  return await changeStream(services, asker, streamId, (before) => ({
    ...before,
    status,
    statusReason: reason,
  }));
}

async function changeStream(
  { database, clock }: StreamServices,
  asker: Asker,
  streamId: string,
  change: (before: Stream) => Stream,
): Promise<Stream> {
  return await inTenant(database, asker.receiver.tenantId, async (tx) => {
    const after = change(ownStream(await lockStream(tx, asker.receiver.id), streamId));
    updateStream(tx, after);
    note(tx, doorOf(asker, clock.now()), 'signal_stream.updated', after);
    return after;
  });
}

/** What waits there goes with it. @throws Fault `not_found` */
export async function removeStream(
  { database, clock }: StreamServices,
  asker: Asker,
  streamId: string,
): Promise<void> {
  await inTenant(database, asker.receiver.tenantId, async (tx) => {
    const stream = ownStream(await lockStream(tx, asker.receiver.id), streamId);
    deleteStream(tx, stream.id);
    note(tx, doorOf(asker, clock.now()), 'signal_stream.deleted', stream);
  });
}

/** undefined: it has none. */
export async function readStream(
  { database }: StreamServices,
  { receiver }: Asker,
): Promise<Stream | undefined> {
  return await inTenant(database, receiver.tenantId, (tx) => selectStream(tx, receiver.id));
}

/** SSF 1.0 §8.1.4: a signal that shows that the stream works. @throws Fault `not_found`; `rate_limited` */
export async function verifyStream(
  { database, clock }: StreamServices,
  { receiver }: Asker,
  { streamId, state }: { streamId: string; state: string | null },
): Promise<void> {
  const at = clock.now();
  await inTenant(database, receiver.tenantId, async (tx) => {
    const stream = ownStream(await lockStream(tx, receiver.id), streamId);
    if ((await countVerifications(tx, stream.id)) >= limits.signalVerificationsMax) {
      const text = `${limits.signalVerificationsMax} verifications of this stream wait: take them first.`;
      throw new Fault('rate_limited', text, { retryAfterSeconds: 60 });
    }
    insertVerification(tx, stream.id, { id: newId<string>(at.getTime()), state, at });
  });
}

export interface Polled {
  /** Tokens by their jti. */
  sets: Readonly<Record<string, string>>;
  moreAvailable: boolean;
}

/** RFC 8936 §2. @throws Fault `not_found`; `conflict` for a stream that is pushed. */
export async function pollStream(
  { database, secrets, realClock, publicUrl }: StreamServices,
  { receiver }: Asker,
  streamId: string,
  { most, done }: Poll,
): Promise<Polled> {
  const found = await inTenant(database, receiver.tenantId, async (tx) => {
    const stream = ownStream(await selectStream(tx, receiver.id), streamId);
    if (stream.endpointUrl !== null) throw new Fault('conflict', 'This stream is pushed: it is not polled.');
    if (done.length > 0) deleteSignals(tx, stream.id, done);
    return stream.status === 'enabled' ? await selectSignals(tx, stream.id, most + 1) : [];
  });
  const [now, { audience }] = [realClock.now(), receiver];
  const { signing } = await readKeyRing(database, secrets, now);
  const parties = { issuer: publicUrl, audience, subjects: `${publicUrl}/oidc`, now };
  const sign = async (signal: Signal) =>
    [signal.id, await signSecurityEvent(claimsOf(signal, parties), signing[0])] as const;
  const sets = Object.fromEntries(await Promise.all(found.slice(0, most).map(sign)));
  return { sets, moreAvailable: found.length > most };
}

/** @param stream The receiver's. @throws Fault `not_found` */
function ownStream(stream: Stream | undefined, streamId: string): Stream {
  if (stream === undefined || stream.id !== streamId) {
    throw new Fault('not_found', 'This receiver has no stream of that stream_id.');
  }
  return stream;
}

function checkEndpoint(services: StreamServices, { endpointUrl }: StreamDraft): void {
  if (endpointUrl !== null) checkOutboundUrl(endpointUrl, 'delivery.endpoint_url', services);
}

function sealed(secrets: SecretBox, draft: StreamDraft) {
  const header = draft.authorizationHeader;
  return { ...draft, authorizationHeader: header === null ? null : secrets.seal(header) };
}

function doorOf({ receiver, requestId }: Asker, now: Date): Door {
  const { tenantId, id, name } = receiver;
  return { tenantId, requestId, now, actor: { kind: 'signal_receiver', id, name } };
}

function note(tx: TenantTransaction, door: Door, action: string, stream: Stream): void {
  const { id, endpointUrl, events, status, statusReason } = stream;
  appendAudit(tx, door, [
    { action, subject: id, after: { endpointUrl, events: [...events], status, statusReason } },
  ]);
}
