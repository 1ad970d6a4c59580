/** One GraphQL request against the schema file by graphql-js: validation, depth, resolvers under both names, masking. */

import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  Kind,
  parse,
  type SelectionSetNode,
  specifiedRules,
  type ValidationContext,
  validate,
} from 'graphql';
import { unreachable } from '../../src/kernel/assert.ts';
import type { Call } from './call.ts';
import { BlueError, blueError, planCoolsDown, seatsFull } from './errors.ts';
import type { Faults, FieldFault } from './faults.ts';
import { cancelInvitation, invitations, inviteUser, resendInvitation } from './invitations.ts';
import { activityList, company, projectList, projectUserRoles } from './organization.ts';
import {
  companyUserList,
  currentUser,
  projectUserList,
  removeCompanyUser,
  removeProjectUser,
  updateCompanyAccessLevel,
  updateProjectAccessLevel,
  user,
} from './people.ts';

/** API docs, capabilities. */
const depthMax = 10;

function sdl(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}

const schema = buildSchema(`${sdl('schema.graphql')}
${sdl('schema-aliases.graphql')}`);

/** Each function states the arguments that the schema makes sure of; `never` lets all of them stand in one table. */
type Resolver = (args: never, call: Call) => unknown;

const resolvers: Readonly<Record<string, Resolver>> = {
  ping: () => 'pong',
  currentUser,
  user,
  company,
  organization: company,
  companyUserList,
  organizationUserList: companyUserList,
  projectUserList,
  workspaceUserList: projectUserList,
  projectList,
  workspaceList: projectList,
  projectUserRoles,
  workspaceUserRoles: projectUserRoles,
  invitations,
  activityList,
  inviteUser,
  resendInvitation,
  cancelInvitation,
  updateProjectAccessLevel,
  updateWorkspaceAccessLevel: updateProjectAccessLevel,
  updateCompanyAccessLevel,
  updateOrganizationAccessLevel: updateCompanyAccessLevel,
  removeProjectUser,
  removeWorkspaceUser: removeProjectUser,
  removeCompanyUser,
  removeOrganizationUser: removeCompanyUser,
};

function depthOf(set: SelectionSetNode | undefined, context: ValidationContext): number {
  if (set === undefined) return 0;
  const depths = set.selections.map((one) => {
    if (one.kind === Kind.FIELD) return 1 + depthOf(one.selectionSet, context);
    if (one.kind === Kind.INLINE_FRAGMENT) return depthOf(one.selectionSet, context);
    return depthOf(context.getFragment(one.name.value)?.selectionSet, context);
  });
  return Math.max(...depths);
}

function depthRule(context: ValidationContext) {
  return {
    OperationDefinition(node: { selectionSet: SelectionSetNode }) {
      if (depthOf(node.selectionSet, context) > depthMax) {
        context.reportError(new GraphQLError(`Query is deeper than ${depthMax} levels.`));
      }
    },
  };
}

export interface Prepared {
  readonly document: DocumentNode;
  /** Names of the root fields, in order, without their aliases. */
  readonly fields: readonly string[];
}

/** The document when it may run, else the errors to answer. */
export function prepare(query: string): Prepared | { errors: readonly GraphQLError[] } {
  try {
    const document = parse(query);
    // The depth comes after the other rules: those make sure that fragments don't spread themselves.
    const problems = validate(schema, document, specifiedRules);
    const errors = problems.length > 0 ? problems : validate(schema, document, [depthRule]);
    return errors.length > 0 ? { errors } : { document, fields: rootFields(document) };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
}

function rootFields(document: DocumentNode): string[] {
  return document.definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return [];
    return definition.selectionSet.selections.flatMap((one) =>
      one.kind === Kind.FIELD ? [one.name.value] : [],
    );
  });
}

function raise(fault: FieldFault, call: Call): never {
  switch (fault.kind) {
    case 'refuse':
      throw blueError(fault.code);
    case 'plan_cools_down':
      throw planCoolsDown(fault.cooldownEndsAt);
    case 'seats_full': {
      const limit = call.world.organization.userLimit ?? call.world.paidPeople().size;
      throw seatsFull(limit, limit);
    }
    case 'internal':
      throw new Error('a fault that was ordered');
    default:
      return unreachable(fault);
  }
}

/** Errors in the form Blue answers: its own as they are, anything unplanned masked. */
export async function run(
  prepared: Prepared,
  variables: Record<string, unknown> | undefined,
  call: Call,
  faults: Faults,
): Promise<ExecutionResult> {
  const rootValue = Object.fromEntries(
    Object.entries(resolvers).map(([name, resolve]) => [
      name,
      (args: never) => {
        const fault = faults.takeField(name);
        return fault === undefined ? resolve(args, call) : raise(fault, call);
      },
    ]),
  );
  const result = await execute({
    schema,
    document: prepared.document,
    rootValue,
    contextValue: call,
    variableValues: variables,
  });
  return result.errors === undefined ? result : { ...result, errors: result.errors.map(masked) };
}

function masked(error: GraphQLError): GraphQLError {
  const { originalError } = error;
  if (originalError === undefined || originalError instanceof BlueError || error instanceof BlueError)
    return error;
  return new GraphQLError('Internal server error', {
    path: error.path,
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
}
