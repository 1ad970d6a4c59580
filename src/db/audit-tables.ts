/** The tables of the trail, as migrations/ make them. */

import type { Generated, GeneratedAlways } from 'kysely';
import type { Json, JsonObject, Time } from './tables.ts';

export interface AuditTables {
  /** Written only: read as `audit_trail`. */
  audit_events: {
    tenant_id: string;
    seq: GeneratedAlways<number>;
    at: Time;
    actor: Json<JsonObject>;
    action: string;
    subject: string | null;
    before: Json<unknown> | null;
    after: Json<unknown> | null;
    inputs: Json<unknown> | null;
    request_id: string | null;
    xid: Generated<number>;
  };
  /** Of large edits: many people in one row. Written only, too. */
  audit_batches: {
    tenant_id: string;
    first_seq: GeneratedAlways<number>;
    at: Time;
    actor: Json<JsonObject>;
    inputs: Json<unknown> | null;
    request_id: string | null;
    first_subject: string;
    last_subject: string;
    subjects: string[];
    /** As PostgreSQL writes `told_change`. */
    changes: string;
    xid: Generated<number>;
  };
  /** `audit_events` and `audit_batches` as they are read: an event of each person (migrations/0038, 0042). */
  audit_trail: {
    tenant_id: string;
    seq: number;
    at: Time;
    actor: Json<JsonObject>;
    action: string;
    subject: string | null;
    before: Json<JsonObject> | null;
    after: Json<JsonObject> | null;
    inputs: Json<unknown> | null;
    request_id: string | null;
  };
  /** Whole numbers as text where they may be the greatest that there are. */
  audit_seals: {
    tenant_id: string;
    number: number;
    xid: string;
    seq: string;
    after_seq: string;
    top_seq: string;
    entries: number;
    sealed_at: Time;
    newest_at: Time;
    hash: Buffer;
    mac: Buffer;
  };
}
