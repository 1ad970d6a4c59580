/**
 * Blue's mutations as data: several become one GraphQL document with aliases, and one answer becomes a result each.
 * Operation names are the old ones (project, company), which every schema generation of Blue has.
 */

import { unreachable } from '../kernel/assert.ts';
import { type BlueFailure, failureOf, type GraphqlError } from './blue-failure.ts';
import type { Level } from './level.ts';

export type Mutation =
  /** Workspace flow: needs the workspace's header; `roleId` belongs to that workspace. */
  | {
      readonly operation: 'inviteUser';
      readonly input:
        | {
            readonly email: string;
            readonly accessLevel: Level;
            readonly projectId: string;
            readonly roleId?: string;
          }
        /** Organization flow: one invitation a workspace, one mail; the caller must be organization OWNER. */
        | {
            readonly email: string;
            readonly accessLevel: Level;
            readonly companyId: string;
            readonly projectIds: readonly string[];
          };
    }
  /** Needs the workspace's header, as its input names none. `roleId: null` asks to drop a custom role. */
  | {
      readonly operation: 'updateProjectAccessLevel';
      readonly input: {
        readonly userId: string;
        readonly accessLevel: Level;
        readonly roleId: string | null;
      };
    }
  | {
      readonly operation: 'removeProjectUser';
      readonly input: { readonly projectId: string; readonly userId: string };
    }
  | {
      readonly operation: 'removeCompanyUser';
      readonly input: { readonly companyId: string; readonly userId: string };
    }
  | { readonly operation: 'resendInvitation' | 'cancelInvitation'; readonly id: string };

export type MutationResult = { readonly ok: true } | { readonly ok: false; readonly failure: BlueFailure };

interface Signature {
  readonly argument: 'input' | 'id';
  readonly type: string;
  readonly selection: string;
  readonly succeeded: (value: unknown) => boolean;
}

const isTrue = (value: unknown) => value === true;
const isObject = (value: unknown) => typeof value === 'object' && value !== null;

const signatures: Readonly<Record<Mutation['operation'], Signature>> = {
  inviteUser: { argument: 'input', type: 'InviteUserInput!', selection: '', succeeded: isTrue },
  updateProjectAccessLevel: {
    argument: 'input',
    type: 'UpdateProjectAccessLevelInput!',
    selection: '',
    succeeded: isTrue,
  },
  removeProjectUser: {
    argument: 'input',
    type: 'RemoveProjectUserInput!',
    selection: '{ success }',
    succeeded: (value) => isObject(value) && 'success' in Object(value) && Object(value).success === true,
  },
  removeCompanyUser: { argument: 'input', type: 'RemoveCompanyUserInput!', selection: '', succeeded: isTrue },
  resendInvitation: { argument: 'id', type: 'String!', selection: '{ id }', succeeded: isObject },
  cancelInvitation: { argument: 'id', type: 'String!', selection: '', succeeded: isTrue },
};

export interface GraphqlRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Several mutations in one request is Blue's documented way to batch (Blue API docs, capabilities). */
export function mutationRequest(mutations: readonly Mutation[]): GraphqlRequest {
  const parts = mutations.map((mutation, index) => {
    const { argument, type, selection } = signatures[mutation.operation];
    return {
      declaration: `$v${index}: ${type}`,
      field: `m${index}: ${mutation.operation}(${argument}: $v${index}) ${selection}`,
      variable: [`v${index}`, argumentOf(mutation)] as const,
    };
  });
  const declarations = parts.map(({ declaration }) => declaration).join(', ');
  const fields = parts.map(({ field }) => field).join('\n');
  return {
    query: `mutation Gateway(${declarations}) {\n${fields}\n}`,
    variables: Object.fromEntries(parts.map(({ variable }) => variable)),
  };
}

function argumentOf(mutation: Mutation): unknown {
  switch (mutation.operation) {
    case 'inviteUser':
    case 'updateProjectAccessLevel':
    case 'removeProjectUser':
    case 'removeCompanyUser':
      return mutation.input;
    case 'resendInvitation':
    case 'cancelInvitation':
      return mutation.id;
    default:
      return unreachable(mutation);
  }
}

export interface GraphqlAnswer {
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly GraphqlError[];
}

/**
 * The results of the mutations that Blue carried out or refused, in order: fewer than `mutations` when it stopped.
 * Mutations run one after the other, and the error of one whose type is non-null ends the run and blanks the whole
 * `data` (GraphQL §6.2.2, §6.4.4): the ones before it succeeded, the ones behind it were never tried.
 */
export function mutationResults(
  mutations: readonly Mutation[],
  { data, errors }: GraphqlAnswer,
  now: Date,
): MutationResult[] {
  const failed = new Map<number, BlueFailure>();
  for (const error of errors) {
    const index = aliasIndex(error.path[0]);
    if (index === undefined || index >= mutations.length)
      return mutations.map(() => failure(failureOf(error, now)));
    failed.set(index, failureOf(error, now));
  }
  const tried = data === null ? Math.max(-1, ...failed.keys()) + 1 : mutations.length;
  return mutations.slice(0, tried).map((mutation, index) => {
    const known = failed.get(index);
    if (known !== undefined) return failure(known);
    if (data === null || signatures[mutation.operation].succeeded(data[`m${index}`])) return { ok: true };
    return failure({
      kind: 'contract',
      message: `${mutation.operation} answered neither success nor an error`,
    });
  });
}

function aliasIndex(head: string | number | undefined): number | undefined {
  const digits = /^m(\d+)$/.exec(String(head))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function failure(known: BlueFailure): MutationResult {
  return { ok: false, failure: known };
}
