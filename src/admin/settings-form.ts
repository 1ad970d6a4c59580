/** What a tenant has chosen, as the admin API reads and shows it. */

import Type, { type Static } from 'typebox';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { entryKeyOf } from '../licensing/catalogue.ts';
import { approvals } from '../licensing/mapping.ts';
import { defaultSettings, type Settings } from '../tenants/settings.ts';
import { closed, nullable } from './schemas.ts';

const usual = defaultSettings;
const fields = {
  defaultRole: Type.String({
    minLength: 1,
    maxLength: 200,
    default: usual.defaultRole,
    description: 'Of people whom no mapping names, in the default workspaces; none: nothing.',
  }),
  order: Type.Enum(['sticky', 'strict'], {
    default: usual.order,
    description: 'sticky: among claims of one priority the older comes first; strict: priority alone counts.',
  }),
  settlement: Type.Enum(['immediate', 'cycle', 'staged'], {
    default: usual.settlement,
    description:
      'When free seats are given: at once, after three quiet minutes, or when an administrator settles.',
  }),
  holdMinutes: Type.Integer({
    minimum: 0,
    maximum: 10_080,
    default: usual.holdMinutes,
    description:
      'How long the place is kept of somebody whom a directory moves between groups; 0: not at all.',
  }),
  tombstoneHours: Type.Integer({
    minimum: 0,
    maximum: 720,
    default: usual.tombstoneHours,
    description: 'How long places are kept for the members of a mapped group that was deleted.',
  }),
  noticeHours: Type.Integer({
    minimum: 0,
    maximum: 720,
    default: usual.noticeHours,
    description: 'Order strict: how long somebody is told before the seat goes to a better claim.',
  }),
  breaker: nullable(
    Type.Object(
      {
        percent: Type.Integer({ minimum: 1, maximum: 100 }),
        people: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
      },
      {
        ...closed,
        default: usual.breaker,
        description: 'A change of more of the seats, and of as many people, is asked about; null: none is.',
      },
    ),
  ),
  reclaimDays: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 3650,
      default: usual.reclaimDays,
      description: 'Holders who were not seen for so many days are asked; null: nobody is.',
    }),
  ),
  approvals: Type.Record(Type.String({ maxLength: 200 }), Type.Enum([...approvals]), {
    maxProperties: 100,
    default: usual.approvals,
    description: 'By paid role, whether somebody gives its seats, where the mapping says nothing of it.',
  }),
  twoPersonRule: Type.Boolean({
    default: usual.twoPersonRule,
    description:
      'Edits of capacity, paid pins, policy block and edits above the breaker need a second person.',
  }),
  parking: Type.Boolean({
    default: usual.parking,
    description: 'Unknown members of groups wait for their people instead of being refused.',
  }),
  exclusions: Type.Array(Type.String({ minLength: 1, maxLength: 320 }), {
    maxItems: limits.exclusionsMax,
    default: usual.exclusions,
    description: 'userNames or addresses of people who are left alone: no role, no seat, no change in Blue.',
  }),
  requestRetentionDays: Type.Integer({
    minimum: 1,
    maximum: limits.requestRetentionDaysMax,
    default: usual.requestRetentionDays,
    description: 'How long calls of identity providers stay recorded.',
  }),
};
export const SettingsAnswer = Type.Object(fields);
export const SettingsForm = Type.Partial(Type.Object(fields, closed), closed);

/** What is left out has its default. */
export function readSettings(body: Static<typeof SettingsForm>): Settings {
  const settings = { ...defaultSettings, ...body };
  if (settings.defaultRole !== 'none' && entryKeyOf(settings.defaultRole) === undefined) {
    const text = `"defaultRole" ${settings.defaultRole} is no role of Blue.`;
    throw new Fault('invalid', text, { field: 'defaultRole' });
  }
  for (const role of Object.keys(settings.approvals)) {
    if (entryKeyOf(role) !== undefined) continue;
    throw new Fault('invalid', `"approvals" names ${role}, which is no role of Blue.`, {
      field: `approvals.${role}`,
    });
  }
  return settings;
}
