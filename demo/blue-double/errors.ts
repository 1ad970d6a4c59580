/** Blue's documented error codes with their exact messages (API docs, error-codes); it knows no resolver. */

import { GraphQLError } from 'graphql';

const messages = {
  UNAUTHENTICATED: 'You are not authenticated.',
  FORBIDDEN: 'You are not authorized.',
  COMPANY_BANNED: 'Company is banned',
  COMPANY_NOT_FOUND: 'Company was not found.',
  PROJECT_NOT_FOUND: 'Project was not found.',
  PROJECT_USER_ROLE_NOT_FOUND: 'Project user role was not found.',
  USER_NOT_FOUND: 'User was not found.',
  USER_ALREADY_IN_THE_PROJECT: 'User is already in the project.',
  USER_NOT_IN_PROJECT: 'User is not in the project.',
  USER_NOT_IN_COMPANY: 'User is not in the company.',
  INVITATION_NOT_FOUND: 'Invitation was not found.',
  INVITATION_EXPIRED: 'Invitation is expired.',
  ADD_SELF: 'You are not allowed to add yourself.',
  REMOVE_SELF: 'You are not allowed to remove yourself.',
  UPDATE_LEVEL_SELF: 'You are not allowed to update level for yourself.',
  UPDATE_COMPANY_LEVEL_TO_OWNER: 'You are not allowed to update anyone to be the owner.',
  RATE_LIMITED: 'Too many requests, please try again later.',
  BAD_USER_INPUT: 'Bad user input.',
} as const;

export type BlueCode = keyof typeof messages;

/** An error that reaches the caller as it is; every other error is masked as INTERNAL_SERVER_ERROR. */
export class BlueError extends GraphQLError {}

export function blueError(code: BlueCode, message: string = messages[code]): BlueError {
  return new BlueError(message, { extensions: { code } });
}

/** The seat case of PLAN_LIMIT_REACHED (API docs, invite-user): the keys stand directly in `extensions`. */
export function seatsFull(used: number, limit: number): BlueError {
  return new BlueError(`Users limit reached (${used}/${limit}). Upgrade your plan for more.`, {
    extensions: { code: 'PLAN_LIMIT_REACHED', kind: 'over_limit', resource: 'Users', current: used, limit },
  });
}

/** The third rate signal: a plan limit that cools down. */
export function planCoolsDown(cooldownEndsAt: Date): BlueError {
  return new BlueError('Plan limit reached. Please try again later.', {
    extensions: {
      code: 'PLAN_LIMIT_REACHED',
      kind: 'rate_limited',
      cooldownEndsAt: cooldownEndsAt.toISOString(),
    },
  });
}
