/** A PostgreSQL server as a start meets it: whether it can be reached, and what is there. Changes nothing. */

import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { ConfigurationError } from '../kernel/configuration-error.ts';

/** Requests run as the first; look-ups across tenants are functions that belong to the second. */
const roles = ['blue_gateway_request', 'blue_gateway_finder'];
const oldestVersion = 15;
const connectMsMax = 5_000;

/** @throws ConfigurationError when the server can't be reached. */
export async function withServer<T>(url: string, work: (db: Kysely<unknown>) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: connectMsMax });
  pool.on('error', () => {});
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await sql`select`.execute(db).catch((cause) => {
      const { message, code } = cause as Error & { code?: string };
      const advice = adviceOn(code) ?? `see that PostgreSQL runs at ${hostOf(url)} and lets this machine in`;
      throw new ConfigurationError([
        `DATABASE_URL: the database cannot be reached (${message || code}): ${advice}`,
      ]);
    });
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** Host and port of a URL, which may hold a password. */
export function hostOf(url: string): string {
  return new URL(url).host || 'its socket';
}

/** By PostgreSQL's error codes. */
function adviceOn(code: string | undefined): string | undefined {
  if (code === '28P01' || code === '28000') return 'give the role and the password that it knows';
  if (code === '3D000') return 'make the database (create database … owner …), or name another one';
  if (code === '53300') return 'raise its max_connections, or end what holds them';
  return undefined;
}

/** As `18.1`. */
export async function serverVersion(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ version: string }>`
    select split_part(current_setting('server_version'), ' ', 1) as version`.execute(db);
  return rows[0]?.version ?? '';
}

/** Why the server can't be used, and what to do; undefined: it can. */
export async function versionProblem(db: Kysely<unknown>): Promise<string | undefined> {
  const version = Number.parseInt(await serverVersion(db), 10);
  if (version >= oldestVersion) return undefined;
  return `PostgreSQL ${oldestVersion} or newer is needed, this is ${version}: update it, or name another one`;
}

/** Names of the migrations that it has had. */
export async function appliedMigrations(db: Kysely<unknown>): Promise<string[]> {
  const { rows } = await sql<{ there: boolean }>`
    select to_regclass('kysely_migration') is not null as there`.execute(db);
  if (rows[0]?.there !== true) return [];
  const applied = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  return applied.rows.map(({ name }) => name);
}

/** Why the role may not use the schema that is there, and what to do; undefined: it may, or there is none. */
export async function ownerProblem(db: Kysely<unknown>): Promise<string | undefined> {
  const { rows } = await sql<{ owner: string; self: string }>`
    select quote_ident(pg_get_userbyid(relowner)) as owner, quote_ident(current_user) as self from pg_class
    where oid = to_regclass('kysely_migration') and not pg_has_role(current_user, relowner, 'usage')`.execute(
    db,
  );
  const [found] = rows;
  return (
    found &&
    `the tables belong to the role ${found.owner}, and ${found.self} may not change them: name ${found.owner}`
  );
}

/** Why the role may make no tables, and what to do; undefined: it may. */
export async function tablesProblem(db: Kysely<unknown>): Promise<string | undefined> {
  const { rows } = await sql<{ mayMake: boolean; database: string; self: string }>`
    select coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayMake",
      quote_ident(current_database()) as database, quote_ident(current_user) as self`.execute(db);
  const [found] = rows;
  if (found === undefined || found.mayMake) return undefined;
  return `its role may not make tables; run as an administrator:\n  alter database ${found.database} owner to ${found.self};`;
}

export interface MissingRole {
  /** What a start runs. */
  statement: string;
  /** The same for an administrator. */
  script: string;
  /** Whether the role of DATABASE_URL may run it. */
  isAllowed: boolean;
}

/** What is still to be done for the roles that requests run under. */
export async function missingRoles(db: Kysely<unknown>): Promise<MissingRole[]> {
  const { rows } = await sql<{
    role: string;
    isThere: boolean;
    mayMake: boolean;
    mayGrant: boolean;
    self: string;
  }>`
    select role, found.oid is not null as "isThere", mine.rolsuper or mine.rolcreaterole as "mayMake",
      mine.rolsuper or (mine.rolcreaterole and current_setting('server_version_num')::integer < 160000)
        or coalesce(pg_has_role(current_user, found.oid, 'member with admin option'), false) as "mayGrant",
      quote_ident(current_user) as self
    from unnest(${roles}::text[]) role left join pg_roles found on found.rolname = role
      cross join pg_roles mine
    where mine.rolname = current_user and not coalesce(case when current_setting('server_version_num')::integer >= 160000
      -- Who made a role is a member that may not act as it until that is granted.
      then pg_has_role(current_user, found.oid, 'set') else pg_has_role(current_user, found.oid, 'member') end, false)
  `.execute(db);
  return rows.flatMap(({ role, isThere, mayMake, mayGrant, self }) => {
    const make = `create role ${role} nologin`;
    const grant = `grant ${role} to`;
    const granted = { statement: `${grant} current_user`, script: `${grant} ${self}` };
    if (isThere) return [{ ...granted, isAllowed: mayGrant }];
    return [
      { statement: make, script: make, isAllowed: mayMake },
      { ...granted, isAllowed: mayMake },
    ];
  });
}

/** @param cause Of the refusal, as PostgreSQL has it. */
export function rolesProblem(missing: readonly MissingRole[], cause?: string): string {
  const why = cause === undefined ? '' : ` (${cause})`;
  const script = missing.map((one) => `\n  ${one.script};`).join('');
  return `its role may not create roles${why}; run as an administrator:${script}`;
}
