/** A tenant and a directory behind a running gateway, with short forms of what tests send over SCIM. */

import { type Answer, made, type TestGateway, type TestTenant } from '../support/gateway.ts';

export const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const messages = 'urn:ietf:params:scim:api:messages:2.0';

export interface ScimClient {
  tenant: TestTenant;
  directoryId: string;
  token: string;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Answers the whole resource. */
  user(attributes: object): Promise<Answer['body']>;
  group(attributes: object): Promise<Answer['body']>;
  patch(path: string, ...operations: object[]): Promise<Answer>;
  search(path: string, query: object): Promise<Answer>;
  bulk(operations: readonly object[], more?: object): Promise<Answer>;
}

export async function newClient(
  gateway: TestGateway,
  kind: 'entra' | 'okta' | 'generic' | 'strict' = 'generic',
  tenant?: TestTenant,
): Promise<ScimClient> {
  const of = tenant ?? (await gateway.createTenant());
  const directories = `/tenants/${of.slug}/directories`;
  const { id: directoryId } = await made(gateway.api('POST', directories, { name: kind, kind }));
  const { token } = await made(gateway.api('POST', `${directories}/${directoryId}/tokens`, { name: 'test' }));
  const send: ScimClient['send'] = (method, path, body, headers) =>
    gateway.scim(token, method, path, body, headers);
  const message = (name: string, content: object) => ({ schemas: [`${messages}:${name}`], ...content });
  return {
    tenant: of,
    directoryId,
    token,
    send,
    user: (attributes) => made(send('POST', '/Users', { schemas: [userUrn], ...attributes })),
    group: (attributes) => made(send('POST', '/Groups', { schemas: [groupUrn], ...attributes })),
    patch: (path, ...Operations) => send('PATCH', path, message('PatchOp', { Operations })),
    search: (path, query) => send('POST', `${path}/.search`, message('SearchRequest', query)),
    bulk: (Operations, more = {}) => send('POST', '/Bulk', message('BulkRequest', { Operations, ...more })),
  };
}
