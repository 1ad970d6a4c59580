/** The tables of domains and of removed people, as migrations/0029_domains.ts makes them. */

import type { ColumnType } from 'kysely';
import type { Time } from './tables.ts';

type LaterTime = ColumnType<Date | null, undefined, Date | null>;

export interface DomainTables {
  domains: {
    tenant_id: string;
    domain: string;
    challenge: string;
    created_at: Time;
    verified_at: LaterTime;
    checked_at: LaterTime;
    missing_since: LaterTime;
    check_at: LaterTime;
  };
  sso_connection_domains: { tenant_id: string; connection_id: string; domain: string };
  sso_tombstones: { tenant_id: string; user_id: string; user_name: string; removed_at: Time };
  sso_tombstone_keys: {
    tenant_id: string;
    user_id: string;
    kind: 'subject' | 'external_id' | 'name';
    scope: string;
    key: string;
  };
}
