import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/**
 * The OpenID provider: its clients, what it issues, its keys, and the logouts that clients must be told. Whatever is issued
 * hangs on a session of sso_sessions, and goes with it. Forward only.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [clients, issued, logouts]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['openid_clients', 'openid_sign_ins', 'openid_logouts']);
  for (const statement of [triggers, lookups]) await sql.raw(statement).execute(db);
}

const clients = `
  create table openid_clients (
    tenant_id                 uuid not null references tenants,
    id                        uuid not null,
    name                      text not null,
    -- SHA-256 of the secret, in hex.
    secret_hash               text not null collate "C",
    redirect_uris             text[] not null,
    post_logout_redirect_uris text[] not null,
    -- null: it is not told of logouts.
    backchannel_logout_uri    text,
    created_at                timestamptz not null,
    primary key (tenant_id, id)
  );

  alter table tenant_locators drop constraint tenant_locators_kind;
  alter table tenant_locators add constraint tenant_locators_kind
    check (kind in ('slug', 'directory_token', 'api_key', 'oauth_client', 'sso_connection', 'openid_client'));
`;

const issued = `
  -- Sessions, grants, codes, tokens and interactions of the provider: found by their hashed id before the tenant is known.
  create table openid_artefacts (
    -- SHA-256 of model and id, in hex.
    id_hash      text primary key collate "C",
    model        text not null,
    -- null: a browser that has not signed in.
    tenant_id    uuid,
    -- The gateway's session that it hangs on.
    session_hash text collate "C",
    client_id    uuid,
    -- Of the grant that it was issued under.
    grant_hash   text collate "C",
    payload      jsonb not null,
    consumed_at  timestamptz,
    expires_at   timestamptz not null,
    foreign key (tenant_id, session_hash) references sso_sessions on delete cascade,
    foreign key (tenant_id, client_id) references openid_clients on delete cascade
  );
  create index openid_artefacts_of_session on openid_artefacts (tenant_id, session_hash);
  create index openid_artefacts_of_client on openid_artefacts (tenant_id, client_id);
  create index openid_artefacts_of_grant on openid_artefacts (grant_hash);
  create index openid_artefacts_expires on openid_artefacts (expires_at);

  create table openid_keys (
    purpose    text not null collate "C" check (purpose in ('signing', 'cookies')),
    generation integer not null,
    kid        text not null,
    sealed     bytea not null,
    -- Published before it signs, so that clients know it by then.
    signs_from timestamptz not null,
    primary key (purpose, generation)
  );
`;

const logouts = `
  -- Which clients a session was used at, each under the sid that it was told.
  create table openid_sign_ins (
    tenant_id    uuid not null,
    session_hash text not null collate "C",
    client_id    uuid not null,
    sid          text not null collate "C",
    user_id      uuid not null,
    primary key (tenant_id, session_hash, client_id, sid),
    foreign key (tenant_id, session_hash) references sso_sessions on delete cascade,
    foreign key (tenant_id, client_id) references openid_clients on delete cascade
  );
  create index openid_sign_ins_of_client on openid_sign_ins (tenant_id, client_id);

  -- What clients have to be told (OpenID Connect Back-Channel Logout 1.0).
  create table openid_logouts (
    tenant_id  uuid not null,
    id         uuid not null,
    client_id  uuid not null,
    user_id    uuid not null,
    sid        text not null,
    tries      integer not null,
    -- By the database's clock.
    next_at    timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, client_id) references openid_clients on delete cascade
  );
  create index openid_logouts_of_client on openid_logouts (tenant_id, client_id);
  create index openid_logouts_due on openid_logouts (next_at);
`;

/** So that no way to end a session, and no way to lose the last role, can forget them. */
const triggers = `
  create function tell_openid_client() returns trigger language plpgsql set search_path = public, pg_temp as $$
  begin
    insert into openid_logouts (tenant_id, id, client_id, user_id, sid, tries, next_at)
    select old.tenant_id, gen_random_uuid(), c.id, old.user_id, old.sid, 0, now()
    from openid_clients c
    where c.tenant_id = old.tenant_id and c.id = old.client_id and c.backchannel_logout_uri is not null;
    return null;
  end $$;
  create trigger tell_openid_client after delete on openid_sign_ins for each row execute function tell_openid_client();

  create function end_sessions_without_access() returns trigger language plpgsql set search_path = public, pg_temp as $$
  begin
    delete from sso_sessions where tenant_id = old.tenant_id and user_id = old.user_id;
    return null;
  end $$;
  -- The id of the set of no roles (provisioning/role-set.ts).
  create trigger end_sessions_without_access_update after update on decisions for each row
    when (new.effective_id = '4f53cda1-8c2b-aa0c-0354-bb5f9a3ecbe5' and old.effective_id <> new.effective_id)
    execute function end_sessions_without_access();
  create trigger end_sessions_without_access_delete after delete on decisions for each row
    when (old.effective_id <> '4f53cda1-8c2b-aa0c-0354-bb5f9a3ecbe5')
    execute function end_sessions_without_access();
`;

const lookups = `
  create policy finder on openid_clients for select to blue_gateway_finder using (true);
  create policy finder on openid_logouts for select to blue_gateway_finder using (true);
  grant select on openid_clients to blue_gateway_finder;
  grant select (tenant_id, next_at) on openid_logouts to blue_gateway_finder;

  -- A client by the id that it names.
  create function find_openid_client(wanted uuid)
  returns table (tenant_id uuid, tenant_slug text, name text, secret_hash text, redirect_uris text[],
                 post_logout_redirect_uris text[], backchannel_logout_uri text)
  language sql stable security definer set search_path = public, pg_temp as $$
    select c.tenant_id, t.slug, c.name, c.secret_hash, c.redirect_uris, c.post_logout_redirect_uris, c.backchannel_logout_uri
    from tenant_locators l
    join openid_clients c on c.tenant_id = l.tenant_id and c.id = wanted
    join tenants t on t.tenant_id = c.tenant_id
    where l.kind = 'openid_client' and l.key = wanted::text
  $$;

  -- Tenants whose clients are to be told of logouts by now.
  create function find_openid_logouts(most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select l.tenant_id from openid_logouts l where l.next_at <= now()
    group by l.tenant_id order by min(l.next_at) limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_openid_client(uuid) owner to blue_gateway_finder;
  alter function find_openid_logouts(integer) owner to blue_gateway_finder;
  revoke execute on function find_openid_client(uuid), find_openid_logouts(integer) from public;
  grant execute on function find_openid_client(uuid), find_openid_logouts(integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
