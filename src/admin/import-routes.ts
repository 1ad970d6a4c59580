/** Files of people that are imported: sent, looked at while they are carried out, and what has become of each row. */

import { stringify } from 'csv-stringify/sync';
import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { nameOf } from '../audit/audit-event.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { recordsOf, textOf } from '../imports/csv-client.ts';
import { importPeople, readImport, rehearseImport } from '../imports/import-flow.ts';
import { type RowView, readResult, readRows } from '../imports/import-result-flow.ts';
import { type CountedImport, selectImports } from '../imports/import-store.ts';
import { type PeopleFile, peopleOf } from '../imports/people-file.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import type { Edit } from '../provisioning/edit.ts';
import { refusalCodes } from '../provisioning/intake.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { importColumns, readPeopleFile } from './import-form.ts';
import { afterId, afterNumber, lastId, readLimit, toPage } from './paging.ts';
import { previewFields, SeatTold } from './preview-form.ts';
import {
  closed,
  Id,
  listOf,
  nullable,
  PageQuery,
  pageQuery,
  problems,
  TenantAndId,
  TenantPath,
  Time,
} from './schemas.ts';

declare module 'fastify' {
  interface FastifyRequest {
    peopleFile?: PeopleFile;
  }
}

const outcomes = ['created', 'updated', 'unchanged', 'refused'] as const;
const Count = Type.Integer();
const { gained, lost, changed, queued, seats } = previewFields;
const Answer = Type.Object({
  id: Id,
  state: Type.Enum(['planned', 'running', 'done'], {
    description: '`planned`: a dry run, of which nothing is carried out.',
  }),
  dryRun: Type.Boolean(),
  by: Type.String(),
  createdAt: Time,
  doneAt: nullable(Time),
  columns: Type.Array(Type.String()),
  rows: Type.Object(
    { total: Count, created: Count, updated: Count, unchanged: Count, refused: Count },
    { description: 'What has become of them so far, or of a dry run would become.' },
  ),
  plan: Type.Object(
    {
      ...{ gained, lost, changed, queued, seats },
      needed: Type.Integer({ description: 'How many more people want a seat.' }),
      available: nullable(Type.Integer({ description: 'Seats that were free; null: unlimited.' })),
    },
    { description: 'What the file was to do when it was sent.' },
  ),
});
const Row = Type.Object({
  line: Type.Integer({ description: 'Of the file; its header is the first.' }),
  cells: Type.Array(Type.String()),
  outcome: nullable(Type.Enum([...outcomes], { description: 'null: it is still to be carried out.' })),
  code: nullable(Type.Enum([...refusalCodes])),
  detail: nullable(
    Type.String({
      description: 'Why it was refused, and what to do; of a dry run also why the person would get nothing.',
    }),
  ),
  userId: nullable(Id),
  seat: nullable(
    Type.Object(
      { state: SeatTold, position: nullable(Type.Integer()), reason: nullable(Type.String()) },
      { description: 'That the person has now, or of a dry run would have.' },
    ),
  ),
});
const Query = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Enum(['true', 'false'], { description: 'true: says what the file would do, and does nothing.' }),
    ),
  },
  closed,
);
const description = `The body is CSV (RFC 4180, UTF-8) with a header of some of these columns: ${importColumns.join(', ')}. An empty cell leaves what is there as it is. \`role\`, with \`workspaces\` and \`until\`, is a pin; \`roles\` are values for mappings of a \`roleValue\`; between several stands "|".`;
const tags = ['users'];
const path = '/tenants/:t/imports';

export function importRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  // The one route that reads files.
  scope.register(async (files) => {
    files.addContentTypeParser<Buffer>(
      'text/csv',
      { parseAs: 'buffer' },
      async (_request: unknown, body: Buffer) => textOf(body),
    );
    files.removeContentTypeParser('application/json');
    files.addContentTypeParser('*', async () => {
      throw noFile();
    });
    // Once, for the gate of edits and for the import itself.
    files.addHook('preValidation', async (request) => {
      request.peopleFile = await readPeopleFile(recordsOf(csvOf(request)), clock.now());
    });
    files.post(
      path,
      {
        config: { auth: 'tenant-write', edit: importing },
        schema: {
          tags,
          summary: 'Import people from a file',
          description,
          params: TenantPath,
          querystring: Query,
          body: { content: { 'text/csv': { schema: Type.String() } } },
          response: { 201: Answer, ...problems },
        },
      },
      async (request, reply) => {
        const door = adminDoorOf(request, clock.now());
        const file = fileOf(request);
        const work = isDryRun(request) ? rehearseImport : importPeople;
        const id = await work(database, door, file);
        nudgeSync();
        return reply
          .code(201)
          .send(show(await inTenant(database, door.tenantId, (tx) => readImport(tx, id))));
      },
    );
  });
}

export function importedRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.get(
    path,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List imports, newest first',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(Answer), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const [before, most] = [afterId(query, lastId), readLimit(query)];
      const found = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectImports(tx, before, most),
      );
      return reply.send(toPage(query, found, ({ id }) => id, show));
    },
  );

  scope.get(
    `${path}/:id`,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read an import: what it was to do, and how far it is',
        params: TenantAndId,
        response: { 200: Answer, ...problems },
      },
    },
    async (request, reply) => {
      const id = importIdOf(request.params.id);
      return reply.send(
        show(await inTenant(database, adminTenantOf(request).id, (tx) => readImport(tx, id))),
      );
    },
  );

  scope.get(
    `${path}/:id/rows`,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List the rows of an import with what has become of each',
        params: TenantAndId,
        querystring: pageQuery({ outcome: Type.Optional(Type.Enum([...outcomes])) }),
        response: { 200: listOf(Row), ...problems },
      },
    },
    async (request, reply) => {
      const { outcome, ...query } = request.query;
      const page = { after: afterNumber(query, 0), outcome, most: readLimit(query) };
      const id = importIdOf(request.params.id);
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        readRows(tx, id, page, clock.now()),
      );
      return reply.send(toPage(query, rows, ({ line }) => String(line), showRow));
    },
  );

  scope.get(
    `${path}/:id/result`,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read the file again, with what has become of each row',
        params: TenantAndId,
        response: { 200: { content: { 'text/csv': { schema: Type.String() } } }, ...problems },
      },
    },
    async (request, reply) => {
      const id = importIdOf(request.params.id);
      const { columns, rows } = await readResult(database, adminTenantOf(request).id, id, clock.now());
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="import-${id}.csv"`)
        .send(resultFile(columns, rows));
    },
  );
}

const importing = (request: FastifyRequest): Edit | undefined =>
  isDryRun(request) ? undefined : { op: 'import', people: peopleOf(fileOf(request)) };

function fileOf({ peopleFile }: FastifyRequest): PeopleFile {
  assert(peopleFile !== undefined, 'the file was read before the call was let in');
  return peopleFile;
}

function isDryRun({ query }: FastifyRequest): boolean {
  return (query as Static<typeof Query>).dryRun === 'true';
}

/** @throws Fault `unsupported_media_type` for what is no file, or where nothing was sent. */
function csvOf({ body }: FastifyRequest): string {
  if (typeof body === 'string') return body;
  throw noFile();
}

function noFile(): Fault {
  return new Fault('unsupported_media_type', 'The body is a CSV file, of media type text/csv.');
}

function importIdOf(text: string): string {
  const id = parseId<string>(text);
  if (id === undefined) throw new Fault('not_found', `There is no import ${text}.`);
  return id;
}

function show(one: CountedImport): Static<typeof Answer> {
  const { id, isDryRun: dryRun, actor, createdAt, doneAt, columns, rows: total, counts } = one;
  const { gained, lost, changed, queued, needed, available, seats } = one.plan;
  return {
    id,
    state: dryRun ? 'planned' : doneAt === null ? 'running' : 'done',
    dryRun,
    by: nameOf(actor),
    createdAt: createdAt.toISOString(),
    doneAt: dryRun ? null : (doneAt?.toISOString() ?? null),
    columns: [...columns],
    rows: { total, ...counts },
    plan: { gained, lost, changed, queued, needed, available, seats },
  };
}

function showRow({ line, cells, outcome, code, detail, userId, seat }: RowView): Static<typeof Row> {
  return { line, cells, outcome, code, detail, userId, seat };
}

/** Cells that a spreadsheet would take for formulas are written so that it does not. */
function resultFile(columns: readonly string[], rows: readonly RowView[]): string {
  const header = [...columns, 'outcome', 'detail', 'seat', 'position', 'reason'];
  const records = rows.map(({ cells, outcome, detail, seat }) => [
    ...columns.map((_, at) => cells[at] ?? ''),
    ...[outcome, detail, seat?.state, seat?.position, seat?.reason],
  ]);
  // Any line end, and not only what this file ends its lines with.
  const quoted = { quoted_match: /[\r\n]/ };
  return stringify([header, ...records], { cast: { string: inert }, record_delimiter: 'windows', ...quoted });
}

function inert(cell: string): string {
  return formulaStart.test(cell) ? `'${cell}` : cell;
}

/** Also behind blanks and line ends, which some spreadsheets drop, and in the wide forms of East Asian keyboards. */
const formulaStart = /^(?:\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/;
