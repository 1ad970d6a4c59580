/** Edits as a preview of them is asked for, and what it tells. */

import Type, { type Static } from 'typebox';
import { Fault } from '../kernel/fault.ts';
import { type MappingId, newId } from '../kernel/ids.ts';
import { isObject } from '../kernel/json.ts';
import { limits } from '../kernel/limits.ts';
import type { PeoplePage } from '../licensing/impact.ts';
import type { Edit, MappingEdit, Preview } from '../provisioning/edit.ts';
import { ContractForm, readContract } from './contract-form.ts';
import { Amendment, Line, lineIdOf, readAmendment, readLine } from './contract-line-form.ts';
import { MappingForm, mappingIdOf, readMapping } from './mapping-form.ts';
import { afterId, type PageRequest, readLimit, toPage } from './paging.ts';
import { PinForm, readPin } from './pin-form.ts';
import { DefaultWorkspaces, refuseNoDefaults } from './role-form.ts';
import { closed, Id, nullable, SubPoolName } from './schemas.ts';
import { readSettings, SettingsForm } from './settings-form.ts';
import { NamedSubPoolForm, readSubPool } from './sub-pool-form.ts';
import { userIdOf } from './user-path.ts';

/** Which fields go with which edit: a closed object tells mistakes by their fields, as a union of objects could not. */
export const mappingEdits = {
  create: ['mapping'],
  update: ['id', 'mapping'],
  delete: ['id'],
  reorder: ['ids'],
} as const;
export const seatEdits = {
  contract: ['contract'],
  amendment: ['amendment'],
  line: ['line'],
  withdrawal: ['lineId'],
  pin: ['userId', 'pin'],
  unpin: ['userId'],
  settings: ['settings'],
  subPool: ['subPool'],
  removeSubPool: ['name'],
  defaultWorkspaces: ['workspaces'],
  rollback: ['version'],
  settle: [],
} as const;

export const MappingEditForm = Type.Object(
  {
    op: Type.Enum(['create', 'update', 'delete', 'reorder'], { description: goesWith(mappingEdits) }),
    id: Type.Optional(Id),
    mapping: Type.Optional(MappingForm),
    ids: Type.Optional(Type.Array(Id, { maxItems: limits.mappingsPerTenantMax })),
  },
  closed,
);
export const SeatEditForm = Type.Object(
  {
    op: Type.Enum(
      [
        ...(['contract', 'amendment', 'line', 'withdrawal', 'pin', 'unpin', 'settings'] as const),
        ...(['subPool', 'removeSubPool', 'defaultWorkspaces', 'rollback', 'settle'] as const),
      ],
      { description: goesWith(seatEdits) },
    ),
    contract: Type.Optional(ContractForm),
    amendment: Type.Optional(Amendment),
    line: Type.Optional(Line),
    lineId: Type.Optional(Id),
    userId: Type.Optional(Id),
    pin: Type.Optional(PinForm),
    settings: Type.Optional(SettingsForm),
    subPool: Type.Optional(NamedSubPoolForm),
    name: Type.Optional(SubPoolName),
    workspaces: Type.Optional(DefaultWorkspaces),
    version: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647 })),
  },
  closed,
);

export const SeatTold = Type.Enum(['none', 'held', 'overage', 'hold', 'queued', 'blocked']);
const Told = Type.Object({
  roles: Type.Array(
    Type.Object({
      role: Type.String(),
      billing: Type.Enum(['paid', 'free']),
      workspace: Type.String(),
      via: Type.String(),
    }),
  ),
  seat: SeatTold,
  waitsFor: Type.Union([Type.Enum(['batch', 'seat', 'approval']), Type.Null()], {
    description:
      'What a person waits for who wants a seat and has none: the end of the open batch, a free seat, or somebody’s word. null: for nothing.',
  }),
});
const Count = (description: string) => Type.Integer({ description });
export const previewFields = {
  gained: Count(
    'People who get a seat, or with the seat as it was a role in more workspaces and in none less.',
  ),
  lost: Count(
    'People who lose the seat, or with the seat as it was a role in fewer workspaces and in none more.',
  ),
  changed: Count('Everybody else for whom something is different.'),
  queued: Count(
    'Of all of these, people who begin to wait for a seat. Of op `settle` also whoever waited for the end of the batch and waits on: they are none of the others, and are named too.',
  ),
  lostLater: Count(
    'People whose seat goes at a date to come: of a mapping, a pin, a line of the contract, or after a notice.',
  ),
  seats: Type.Object({ before: Type.Integer(), after: Type.Integer() }, { description: 'Held.' }),
  users: Type.Array(Type.Object({ id: Id, userName: Type.String(), before: Told, after: Told })),
  nextCursor: nullable(Type.String()),
};
export const PreviewAnswer = Type.Object(previewFields);

const planCounts = {
  gained: Count('People of `gained`.'),
  queued: Count('People of `queued`.'),
};
export const SeatPreviewAnswer = Type.Object({
  ...previewFields,
  departments: Type.Optional(
    Type.Array(
      Type.Object({
        department: nullable(
          Type.String({
            description: `Its first ${limits.departmentLengthMax} characters. null: none is known.`,
          }),
        ),
        ...planCounts,
      }),
      {
        description: `Of op \`settle\`: by the \`department\` of the Enterprise User extension (RFC 7643 §4.3), those with most people first, ${limits.departmentsCountedMax} at most.`,
      },
    ),
  ),
  otherDepartments: Type.Optional(
    Type.Object(
      { departments: Count('How many there are.'), ...planCounts },
      { description: 'Of op `settle`: all that are not in `departments`, together.' },
    ),
  ),
});

export function readMappingEdit(body: Static<typeof MappingEditForm>, now: Date): MappingEdit {
  const { op, id = '', mapping, ids = [] } = body;
  if (op === 'reorder') return { op, ids: ids.map(mappingIdOf) };
  if (op === 'delete') return { op, id: mappingIdOf(id) };
  const draft = readMapping(given(mapping));
  return { op, id: op === 'create' ? newId<MappingId>(now.getTime()) : mappingIdOf(id), mapping: draft };
}

export function readSeatEdit(body: Static<typeof SeatEditForm>): Edit {
  const { op, contract, amendment, line, lineId = '', userId = '', pin, settings, subPool, name = '' } = body;
  const { workspaces, version } = body;
  switch (op) {
    case 'contract':
      return { op, contract: readContract(given(contract)) };
    case 'amendment':
      return { op, line: readAmendment(given(amendment)) };
    case 'line':
      return { op: 'amendment', line: readLine(given(line)) };
    case 'withdrawal':
      return { op, lineId: lineIdOf(lineId) };
    case 'pin':
      return { op, userId: userIdOf(userId), pin: readPin(given(pin)) };
    case 'unpin':
      return { op, userId: userIdOf(userId) };
    case 'settings':
      return { op, settings: readSettings(given(settings)) };
    case 'subPool':
      return { op, subPool: readSubPool(given(subPool).name, given(subPool)) };
    case 'removeSubPool':
      return { op, name };
    case 'defaultWorkspaces':
      refuseNoDefaults(given(workspaces), 'workspaces');
      return { op, workspaces: given(workspaces) };
    case 'rollback':
      return { op, version: given(version) };
    case 'settle':
      return { op };
  }
}

/** @throws Fault `invalid` naming the field that is missing, or that means nothing here. */
export function refuseOthers(body: { op: string }, needed: readonly string[]): void {
  const written = Object.keys(body);
  const missing = needed.find((name) => !written.includes(name));
  if (missing !== undefined) {
    throw new Fault('invalid', `op ${body.op} needs "${missing}".`, { field: missing });
  }
  const vain = written.find((name) => name !== 'op' && !needed.includes(name));
  if (vain !== undefined) {
    throw new Fault('invalid', `"${vain}" means nothing with op ${body.op}.`, { field: vain });
  }
}

/**
 * What the edit is refused for names a field of the edit's own body, which here is the one object in this body.
 *
 * @throws Fault of `work`, its field by the path in this body, as the fields that the schema refuses.
 */
export async function namedInBody<T>(body: object, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const [place] = Object.entries(body).find(([, value]) => isObject(value)) ?? [];
    if (!(error instanceof Fault) || error.field === undefined || place === undefined) throw error;
    throw new Fault(error.code, error.message, { field: `${place}.${error.field}`, cause: error });
  }
}

/** What `refuseOthers` has seen to be there. */
function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Fault('invalid', 'A field is missing.');
  return value;
}

function goesWith(edits: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(edits)
    .map(([op, fields]) => (fields.length === 0 ? op : `${op}: with ${fields.join(', ')}`))
    .join('; ');
}

const usersShown = limits.listLimitMax;

export const PreviewQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: usersShown, default: usersShown })),
    cursor: Type.Optional(Type.String({ maxLength: 400, description: 'The last answer’s `nextCursor`.' })),
  },
  closed,
);

/** The first 200 people unless fewer are asked for. */
export function pageOf({ limit = usersShown, cursor }: PageRequest): PeoplePage {
  const request = cursor === undefined ? { limit } : { limit, cursor };
  return { after: afterId(request), limit: readLimit(request) };
}

export function showPreview(
  { people, gained, lost, changed, queued, lostLater, seats }: Preview,
  { limit = usersShown }: PageRequest,
): Static<typeof PreviewAnswer> {
  const { items, nextCursor } = toPage(
    { limit },
    people,
    ({ id }) => id,
    ({ id, userName, before, after }) => ({ id, userName, before: told(before), after: told(after) }),
  );
  return { gained, lost, changed, queued, lostLater, seats, users: items, nextCursor };
}

export function showSeatPreview(preview: Preview, page: PageRequest): Static<typeof SeatPreviewAnswer> {
  const shown = showPreview(preview, page);
  if (preview.byDepartment === null) return shown;
  const { departments, others } = preview.byDepartment;
  return { ...shown, departments: [...departments], otherDepartments: others };
}

function told({ roles, seat, waitsFor }: Preview['people'][number]['before']): Static<typeof Told> {
  return { roles: [...roles], seat, waitsFor };
}
