/** The tables of signals, as migrations/0034_signals.ts makes them. */

import type { Generated } from 'kysely';
import type { JsonObject } from '../kernel/json.ts';
import type { Json, Time } from './tables.ts';

export interface SignalTables {
  signal_receivers: {
    tenant_id: string;
    id: string;
    name: string;
    audience: string;
    token_hash: string;
    created_at: Time;
  };
  signal_streams: {
    tenant_id: string;
    id: string;
    receiver_id: string;
    endpoint_url: string | null;
    authorization_header: Buffer | null;
    events: string[];
    description: string | null;
    status: 'enabled' | 'paused' | 'disabled';
    status_reason: string | null;
    created_at: Time;
  };
  signal_events: {
    tenant_id: string;
    stream_id: string;
    id: string;
    event: string;
    user_id: string | null;
    detail: Json<JsonObject>;
    at: Time;
    due_at: Time;
    attempts: Generated<number>;
  };
}
