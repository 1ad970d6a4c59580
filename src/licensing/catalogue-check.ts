/** What is wrong with a catalogue that somebody wrote. Pure. */

import { anyCustomRole, type RoleEntry, roleKeys } from './catalogue.ts';

export interface CatalogueProblem {
  /** As the caller wrote it: `roles`, or `roles.2.level`. */
  field: string;
  text: string;
}

/** The first problem; undefined: it can be used. */
export function catalogueProblem(roles: readonly RoleEntry[]): CatalogueProblem | undefined {
  const missing = roleKeys.find((key) => roles.filter((role) => role.key === key).length !== 1);
  if (missing !== undefined) {
    return { field: 'roles', text: `"roles" must name ${missing} exactly once, as every role of Blue.` };
  }
  return unusedSeatProblem(roles) ?? customProblem(roles) ?? sharedLevelProblem(roles);
}

/** One role at least stays free: the one that people have where no contract says another (`termsAt`). */
function unusedSeatProblem(roles: readonly RoleEntry[]): CatalogueProblem | undefined {
  const index = roles.findIndex(({ key, billing }) => key === 'view_only' && billing === 'paid');
  if (index < 0) return undefined;
  const field = `roles.${index}.billing`;
  return {
    field,
    text: `"${field}" of view_only must be free: it is the role of people without a contract.`,
  };
}

/** In Blue a custom role is MEMBER with the id of the role. */
function customProblem(roles: readonly RoleEntry[]): CatalogueProblem | undefined {
  const index = roles.findIndex(({ key, level }) => key === anyCustomRole && level !== 'MEMBER');
  if (index < 0) return undefined;
  return {
    field: `roles.${index}.level`,
    text: `"roles.${index}.level" of ${anyCustomRole} must be MEMBER: Blue has custom roles there alone.`,
  };
}

/** Of people whom Blue has by itself only the level is known: it must tell whether they are paid. */
function sharedLevelProblem(roles: readonly RoleEntry[]): CatalogueProblem | undefined {
  const plain = roles.filter(({ key }) => key !== anyCustomRole);
  for (const [index, role] of roles.entries()) {
    if (role.key === anyCustomRole) continue;
    const other = plain.find(({ level, billing }) => level === role.level && billing !== role.billing);
    if (other === undefined) continue;
    const text = `"roles.${index}.level" must not be that of ${other.key}: one level can't be both paid and free.`;
    return { field: `roles.${index}.level`, text };
  }
  return undefined;
}
