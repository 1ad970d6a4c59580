import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/**
 * What identity providers may end here (Global Token Revocation), and what receivers are told of it (Shared Signals Framework 1.0).
 * Forward only.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [revocation, signals]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['signal_receivers', 'signal_streams', 'signal_events']);
  for (const statement of [telling, lookups]) await sql.raw(statement).execute(db);
}

const revocation = `
  -- Whose signed requests end sessions that the connection made; null: nobody's.
  alter table sso_connections add column revocation_issuer text;
`;

const signals = `
  alter table tenant_locators drop constraint tenant_locators_kind;
  alter table tenant_locators add constraint tenant_locators_kind
    check (kind in ('slug', 'directory_token', 'api_key', 'oauth_client', 'sso_connection', 'openid_client', 'domain',
      'signal_receiver'));

  -- Who may have a stream of signals.
  create table signal_receivers (
    tenant_id  uuid not null references tenants,
    id         uuid not null,
    name       text not null,
    -- The aud of what it is told.
    audience   text not null,
    -- SHA-256 of its token, in hex.
    token_hash text not null collate "C",
    created_at timestamptz not null,
    primary key (tenant_id, id)
  );

  create table signal_streams (
    tenant_id     uuid not null,
    id            uuid not null,
    receiver_id   uuid not null,
    -- null: the receiver polls (RFC 8936); else signals are pushed there (RFC 8935).
    endpoint_url  text,
    -- The Authorization header of a push, sealed.
    authorization_header bytea,
    -- Event types that are delivered.
    events        text[] not null,
    description   text,
    status        text not null check (status in ('enabled', 'paused', 'disabled')),
    status_reason text,
    created_at    timestamptz not null,
    primary key (tenant_id, id),
    constraint signal_streams_receiver unique (tenant_id, receiver_id),
    foreign key (tenant_id, receiver_id) references signal_receivers on delete cascade
  );

  -- Signals that their receiver has not taken yet.
  create table signal_events (
    tenant_id  uuid not null,
    stream_id  uuid not null,
    -- The jti.
    id         uuid not null,
    event      text not null,
    -- Of whom; null: of the stream itself. The person may be gone.
    user_id    uuid,
    detail     jsonb not null,
    at         timestamptz not null,
    -- When it is to be pushed.
    due_at     timestamptz not null,
    attempts   integer not null default 0,
    primary key (tenant_id, stream_id, id),
    foreign key (tenant_id, stream_id) references signal_streams on delete cascade
  );
  create index signal_events_due on signal_events (due_at, tenant_id);
  create index signal_events_at on signal_events (tenant_id, at);
`;

const telling = `
  -- Tells every stream of the tenant that asked for it that what the person has open is over.
  create function signal_session_revoked(of_tenant uuid, of_user uuid) returns void
  language sql begin atomic
    insert into signal_events (tenant_id, stream_id, id, event, user_id, detail, at, due_at)
    select s.tenant_id, s.id, gen_random_uuid(), e.event, of_user, '{}', now(), now()
    from signal_streams s
    cross join (values ('https://schemas.openid.net/secevent/caep/event-type/session-revoked')) as e (event)
    where s.tenant_id = of_tenant and s.status <> 'disabled' and e.event = any (s.events);
  end;

  -- As before, and receivers of signals are told.
  create or replace function end_sessions_without_access() returns trigger
  language plpgsql set search_path = public, pg_temp as $$
  begin
    delete from sso_sessions where tenant_id = old.tenant_id and user_id = old.user_id;
    if found then
      perform signal_session_revoked(old.tenant_id, old.user_id);
    end if;
    return null;
  end $$;
`;

const lookups = `
  create policy finder on signal_receivers for select to blue_gateway_finder using (true);
  create policy finder on signal_streams for select to blue_gateway_finder using (true);
  create policy finder on signal_events for select to blue_gateway_finder using (true);
  grant select (tenant_id, id, name, audience, token_hash) on signal_receivers to blue_gateway_finder;
  grant select (tenant_id, id, endpoint_url, status) on signal_streams to blue_gateway_finder;
  grant select (tenant_id, stream_id, due_at, at) on signal_events to blue_gateway_finder;

  -- Whose token it is.
  create function find_signal_receiver(hash text)
  returns table (tenant_id uuid, id uuid, name text, audience text)
  language sql stable security definer set search_path = public, pg_temp as $$
    select r.tenant_id, r.id, r.name, r.audience from tenant_locators l
    join signal_receivers r on r.tenant_id = l.tenant_id and r.token_hash = l.key
    where l.kind = 'signal_receiver' and l.key = find_signal_receiver.hash
  $$;

  -- Tenants with signals to push.
  create function find_due_signals(at timestamptz, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select distinct e.tenant_id from signal_events e
    join signal_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id
      and s.endpoint_url is not null and s.status = 'enabled'
    where e.due_at <= find_due_signals.at limit most
  $$;

  -- As before, and tenants with signals that nobody took for a week.
  create or replace function find_leftovers(at timestamptz, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select t.tenant_id from tenants t left join tenant_settings s on s.tenant_id = t.tenant_id
    cross join lateral (select find_leftovers.at - make_interval(days => coalesce(s.request_retention_days, 30))) as past (kept_from)
    where exists (select from recorded_requests r where r.tenant_id = t.tenant_id and r.at < past.kept_from)
      or exists (select from directory_tokens k where k.tenant_id = t.tenant_id
        and k.client_id is not null and k.expires_at < find_leftovers.at)
      or exists (select from unanswered_creations c where c.tenant_id = t.tenant_id
        and c.created_at < find_leftovers.at - interval '10 minutes')
      or exists (select from sso_requests r where r.tenant_id = t.tenant_id and r.expires_at < find_leftovers.at)
      or exists (select from sso_assertions a where a.tenant_id = t.tenant_id and a.expires_at < find_leftovers.at)
      or exists (select from sso_sessions e where e.tenant_id = t.tenant_id and e.expires_at < find_leftovers.at)
      or exists (select from sso_logins g where g.tenant_id = t.tenant_id and g.at < past.kept_from)
      or exists (select from signal_events v where v.tenant_id = t.tenant_id and v.at < find_leftovers.at - interval '7 days')
    order by t.tenant_id limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_signal_receiver(text) owner to blue_gateway_finder;
  alter function find_due_signals(timestamptz, integer) owner to blue_gateway_finder;
  revoke execute on function find_signal_receiver(text), find_due_signals(timestamptz, integer) from public;
  grant execute on function find_signal_receiver(text), find_due_signals(timestamptz, integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
