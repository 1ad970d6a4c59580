/** Versions and drafts of whole sets of mappings as the admin API reads and shows them. */

import Type, { type Static } from 'typebox';
import { nameOf } from '../audit/audit-event.ts';
import { Fault } from '../kernel/fault.ts';
import { type MappingDraftId, type MappingId, parseId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { MappingSet } from '../provisioning/mapping-set.ts';
import type {
  DraftResult,
  MappingVersion,
  SetDraft,
  StoredSetDraft,
} from '../provisioning/mapping-version.ts';
import { checkDay, Day } from './day.ts';
import { readDate } from './instant.ts';
import { MappingAnswer, MappingForm, readMapping, showMapping } from './mapping-form.ts';
import { previewFields } from './preview-form.ts';
import { closed, Id, Name, nullable, Time } from './schemas.ts';

const versionFields = {
  number: Type.Integer(),
  at: Time,
  by: Type.String({ description: 'Who made it.' }),
  cause: Type.String({ description: 'The action in the audit trail that made it.' }),
  size: Type.Integer({ description: 'Mappings in it.' }),
};
export const VersionItem = Type.Object(versionFields);
export const VersionAnswer = Type.Object({ ...versionFields, mappings: Type.Array(MappingAnswer) });

export const DraftForm = Type.Object(
  {
    name: Name,
    basedOn: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_147_483_647,
        description: 'Left out: the newest version, or the one that the draft has; 0: before there was any.',
      }),
    ),
    mappings: Type.Optional(
      Type.Array(Type.Interface([MappingForm], { id: Type.Optional(nullable(Id)) }, closed), {
        maxItems: limits.mappingsPerTenantMax,
        description:
          'The whole set; left out: that of the version. With an id: the mapping of the version, changed or not.',
      }),
    ),
    department: Type.Optional(nullable(Name)),
    goLiveOn: Type.Optional(
      nullable({
        ...Day,
        description: 'It is activated at the beginning of this day unless told otherwise.',
      }),
    ),
  },
  closed,
);
const Result = Type.Object(
  { people: Type.Integer(), held: Type.Integer(), overage: Type.Integer(), queued: Type.Integer() },
  { description: 'People who have what they have by the mappings that it made or changed, and their seats.' },
);
export const DraftAnswer = Type.Object({
  id: Id,
  name: Type.String(),
  state: Type.Enum(['open', 'scheduled', 'activated', 'failed']),
  basedOn: Type.Integer(),
  mappings: Type.Array(MappingAnswer),
  department: nullable(Type.String()),
  goLiveOn: nullable(Day),
  createdAt: Time,
  activateAt: nullable(Time),
  rebase: Type.Boolean(),
  activated: nullable(Type.Object({ version: Type.Integer(), at: Time })),
  failure: nullable(Type.String({ description: 'Why it could not be activated at its time.' })),
  result: Type.Optional(nullable(Result)),
});
const rebase = Type.Optional(
  Type.Boolean({ description: 'Over what was activated since the version that it is based on.' }),
);
export const ActivationForm = Type.Object(
  {
    at: Type.Optional(
      nullable(
        Type.String({
          maxLength: 40,
          description: 'ISO 8601. Left out: at the beginning of goLiveOn if that is ahead, else now.',
        }),
      ),
    ),
    rebase,
  },
  closed,
);
export const DraftPreviewForm = Type.Object({ rebase }, closed);
export const DraftPreviewAnswer = Type.Object({
  ...previewFields,
  need: Type.Object(
    { seats: Type.Integer(), available: nullable(Type.Integer()) },
    { description: 'Seats that people would want and now do not, and those that are free; null: unlimited.' },
  ),
});

export function readDraft(body: Static<typeof DraftForm>): SetDraft {
  const { name, basedOn, mappings, department = null, goLiveOn = null } = body;
  if (goLiveOn !== null) checkDay('goLiveOn', goLiveOn);
  const read = mappings?.map(({ id = null, ...mapping }, index) =>
    within(`mappings.${index}`, () => ({ ...readMapping(mapping), id: id === null ? null : readId(id) })),
  );
  return { name, basedOn, mappings: read, department, goLiveOn };
}

function readId(text: string): MappingId {
  const id = parseId<MappingId>(text);
  if (id === undefined) throw new Fault('invalid', `"id" is no id: ${text}.`, { field: 'id' });
  return id;
}

/** Names the field by where it stands. */
function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Fault) || error.field === undefined) throw error;
    throw new Fault(error.code, error.message, { field: `${place}.${error.field}` });
  }
}

export function readActivation({ at, rebase: isOver = false }: Static<typeof ActivationForm>) {
  return { at: readDate('at', at) ?? null, rebase: isOver };
}

export function showVersion({ number, at, actor, cause, size }: MappingVersion): Static<typeof VersionItem> {
  return { number, at: at.toISOString(), by: nameOf(actor), cause, size };
}

export function showWholeVersion(
  version: MappingVersion & { mappings: MappingSet },
): Static<typeof VersionAnswer> {
  return { ...showVersion(version), mappings: version.mappings.map(showMapping) };
}

export function showDraft(draft: StoredSetDraft): Static<typeof DraftAnswer> {
  const { createdAt, activateAt, activated, mappings, touched: _, agreedLosses: _losses, ...rest } = draft;
  return {
    ...rest,
    state: stateOf(draft),
    mappings: mappings.map(showMapping),
    createdAt: createdAt.toISOString(),
    activateAt: activateAt?.toISOString() ?? null,
    activated: activated === null ? null : { version: activated.version, at: activated.at.toISOString() },
  };
}

function stateOf({ activated, activateAt, failure }: StoredSetDraft): Static<typeof DraftAnswer>['state'] {
  if (activated !== null) return 'activated';
  if (activateAt !== null) return 'scheduled';
  return failure === null ? 'open' : 'failed';
}

export function showResult(draft: StoredSetDraft, result: DraftResult | null): Static<typeof DraftAnswer> {
  return { ...showDraft(draft), result };
}

/** @throws Fault `not_found` for what is no id. */
export function draftIdOf(text: string): MappingDraftId {
  const id = parseId<MappingDraftId>(text);
  if (id === undefined) throw new Fault('not_found', `There is no draft ${text}.`);
  return id;
}

/** @throws Fault `not_found` for what is no number of a version. */
export function versionNumberOf(text: string): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number > 0) return number;
  throw new Fault('not_found', `There is no version ${text} of the mappings.`);
}
