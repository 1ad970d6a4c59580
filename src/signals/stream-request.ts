/** What a receiver asks of its stream (Shared Signals Framework 1.0 §8.1.1), read from JSON. */

import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { isStorable } from '../kernel/storable.ts';
import { eventsSupported } from './security-event.ts';

/** RFC 8935 and RFC 8936. */
export const [pushMethod, pollMethod] = ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936'] as const;

export type StreamStatus = 'enabled' | 'paused' | 'disabled';

export interface StreamDraft {
  /** null: the receiver polls. */
  endpointUrl: string | null;
  /** Of a push. */
  authorizationHeader: string | null;
  /** Those of what was asked for that are supported. */
  events: readonly string[];
  description: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param before What stays where the body leaves it out; undefined: the stream is made, or replaced.
 * @throws Fault `invalid` naming the field.
 */
export function readStreamDraft(body: Fields, before?: StreamDraft): StreamDraft {
  const { delivery, events_requested: events, description } = body;
  const asked = delivery === undefined && before !== undefined ? before : readDelivery(delivery);
  return {
    endpointUrl: asked.endpointUrl,
    authorizationHeader: asked.authorizationHeader,
    events: events === undefined ? (before?.events ?? eventsSupported) : readEvents(events),
    description: description === undefined ? (before?.description ?? null) : readDescription(description),
  };
}

function readDelivery(delivery: unknown): Pick<StreamDraft, 'endpointUrl' | 'authorizationHeader'> {
  // SSF 1.0 §8.1.1.1: without a delivery the receiver polls.
  if (delivery === undefined) return { endpointUrl: null, authorizationHeader: null };
  const { method, endpoint_url: url, authorization_header: header } = readFields(delivery, 'delivery');
  if (method === pollMethod) return { endpointUrl: null, authorizationHeader: null };
  if (method !== pushMethod) {
    throw refused('delivery.method', `must be ${pushMethod} or ${pollMethod}`);
  }
  return {
    endpointUrl: readText(url, 'delivery.endpoint_url', limits.signalUrlLengthMax),
    authorizationHeader: header === undefined ? null : readHeader(header),
  };
}

function readHeader(header: unknown): string {
  const name = 'delivery.authorization_header';
  const value = readText(header, name, limits.signalHeaderLengthMax);
  if (!/^[\x20-\x7e]+$/.test(value)) throw refused(name, 'must be printable ASCII');
  return value;
}

function readEvents(events: unknown): string[] {
  const isList =
    Array.isArray(events) && events.length <= 100 && events.every((event) => typeof event === 'string');
  if (!isList) throw refused('events_requested', 'must be a list of at most 100 event types');
  return eventsSupported.filter((event) => events.includes(event));
}

function readDescription(description: unknown): string {
  return readText(description, 'description', limits.signalDescriptionLengthMax);
}

export function readStatus(body: unknown): { streamId: string; status: StreamStatus; reason: string | null } {
  const { stream_id: id, status, reason } = readFields(body, 'the body');
  if (status !== 'enabled' && status !== 'paused' && status !== 'disabled') {
    throw refused('status', 'must be enabled, paused or disabled');
  }
  return {
    streamId: readText(id, 'stream_id', 100),
    status,
    reason: reason === undefined ? null : readText(reason, 'reason', limits.signalDescriptionLengthMax),
  };
}

export function readVerification(body: unknown): { streamId: string; state: string | null } {
  const { stream_id: id, state } = readFields(body, 'the body');
  return {
    streamId: readText(id, 'stream_id', 100),
    state: state === undefined ? null : readText(state, 'state', limits.signalDescriptionLengthMax),
  };
}

export interface Poll {
  most: number;
  /** Ids of signals that the receiver has, or could not read: it gets them no more. */
  done: readonly string[];
}

/** RFC 8936 §2.4. @throws Fault `invalid` */
export function readPoll(body: unknown): Poll {
  const { maxEvents, ack = [], setErrs = {} } = readFields(body ?? {}, 'the body');
  const most = maxEvents ?? limits.signalsPerPollMax;
  if (typeof most !== 'number' || !Number.isInteger(most) || most < 0) {
    throw refused('maxEvents', 'must be a whole number');
  }
  const done = [...readIds(ack, 'ack'), ...Object.keys(readFields(setErrs, 'setErrs'))].filter(isStorable);
  if (done.length > limits.signalsPerPollMax) {
    throw refused(
      'ack',
      `and setErrs name more than ${limits.signalsPerPollMax} events: send fewer at a time`,
    );
  }
  return { most: Math.min(most, limits.signalsPerPollMax), done };
}

function readIds(ids: unknown, name: string): string[] {
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string'))
    throw refused(name, 'must be a list of jti');
  return ids;
}

export function readFields(value: unknown, name: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw refused(name, 'must be an object');
}

function readText(value: unknown, name: string, most: number): string {
  if (typeof value === 'string' && value !== '' && value.length <= most && isStorable(value)) return value;
  throw refused(name, `must be a text of 1 to ${most} characters`);
}

function refused(field: string, what: string): Fault {
  return new Fault('invalid', `${field} ${what}.`, { field });
}
