/** The scope that the admin API's routes are registered in: its types, and what holds for all of them. */

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Services } from '../http/services.ts';
import { installAdminAuth } from './admin-auth-hook.ts';
import { installProblems } from './problem-hook.ts';

export type AdminScope = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export function installAdmin(scope: FastifyInstance, services: Services): AdminScope {
  installProblems(scope);
  installAdminAuth(scope, services);
  return scope.withTypeProvider<TypeBoxTypeProvider>();
}
