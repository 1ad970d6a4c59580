/** A pin as the admin API reads it. */

import Type, { type Static } from 'typebox';
import { limits } from '../kernel/limits.ts';
import type { PinDraft } from '../provisioning/edit.ts';
import { readDate } from './instant.ts';
import { refuseRepeatedWorkspaces, refuseUnknownRole } from './role-form.ts';
import { closed, nullable, Reason } from './schemas.ts';

export const PinForm = Type.Object(
  {
    role: Type.String({ minLength: 1, maxLength: 200, description: 'In place of what mappings say.' }),
    reason: Reason,
    workspaces: Type.Optional(
      nullable(
        Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
          minItems: 1,
          maxItems: limits.workspacesPerMappingMax,
          description: 'Left out: wherever the mappings of the person lead, else the default workspaces.',
        }),
      ),
    ),
    until: Type.Optional(
      nullable(Type.String({ maxLength: 40, description: 'ISO 8601: it ends by itself then.' })),
    ),
    reserved: Type.Optional(
      Type.Boolean({ description: 'It takes its seat now, and is refused where none is free.' }),
    ),
  },
  closed,
);

export function readPin({
  role,
  reason,
  workspaces = null,
  until,
  reserved = false,
}: Static<typeof PinForm>): PinDraft {
  refuseUnknownRole(role);
  refuseRepeatedWorkspaces(workspaces ?? []);
  return { role, reason, workspaces, until: readDate('until', until) ?? null, reserved };
}
