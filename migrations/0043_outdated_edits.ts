import { type Kysely, sql } from 'kysely';

/** Edits that wait are compared with what was changed since they were asked for. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [requests, trail]) await sql.raw(statement).execute(db);
}

const requests = `
  -- What the call replaces (provisioning/replaced.ts); null: nothing, or it was asked for before.
  alter table edit_requests add column replaces jsonb;
  -- outdated: that was changed since, so that nobody can approve it any more.
  alter table edit_requests drop constraint edit_requests_state_check;
  alter table edit_requests add constraint edit_requests_state_check
    check (state in ('pending', 'applying', 'approved', 'refused', 'outdated'));
`;

const trail = `
  -- The few entries that tell of edits, among those that tell of decisions.
  create index audit_events_edits on audit_events (tenant_id, seq) where action in (
    'blue.written',
    'contract.amended', 'contract.line_added', 'contract.line_withdrawn', 'contract.written',
    'mapping.created', 'mapping.deleted', 'mapping.reordered', 'mapping.updated',
    'mapping_draft.activated', 'mapping_draft.deleted', 'mapping_draft.scheduled', 'mapping_draft.updated',
    'mapping_version.rolled_back',
    'pin.removed', 'pin.set',
    'settings.written',
    'sub_pool.deleted', 'sub_pool.written'
  );
`;
