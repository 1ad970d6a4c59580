/** The description of the admin API and of what single sign-on says in JSON: an OpenAPI document, and pages to read it. Open to everybody. */

import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { sessionCookie } from '../sso/session-hook.ts';

const description = `Keys are bearer tokens. \`{t}\` is a tenant's id or slug; of another tenant nothing is told (404).
Lists answer \`{items, nextCursor}\`. Errors are RFC 9457 problems with a stable \`code\`.`;

/** To be registered before the routes that it describes, which are those with a tag. */
export async function installOpenApi(scope: FastifyInstance, publicUrl: string): Promise<void> {
  const session = { type: 'apiKey', in: 'cookie', name: sessionCookie(publicUrl) } as const;
  await scope.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Blue Gateway', version: '1', description },
      servers: [{ url: publicUrl }],
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' }, session } },
      security: [{ key: [] }],
    },
  });
}

export function openApiRoutes(scope: FastifyInstance): void {
  scope.get('/openapi.json', { config: { auth: 'none' }, schema: { hide: true } }, async (_request, reply) =>
    reply.send(scope.swagger()),
  );
}

/** The pages; their files are routes of their own, open as they are. */
export async function openApiPages(scope: FastifyInstance): Promise<void> {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, auth: 'none' };
  });
  await scope.register(swaggerUi, { routePrefix: '/docs', uiConfig: { docExpansion: 'list' } });
}
