/** A client of the token endpoint, as identity providers are one. */

import type { Answer, TestGateway, TestTenant } from '../support/gateway.ts';
import { made } from '../support/gateway.ts';

export type Form = Record<string, string> | [string, string][] | string;

export async function askToken(
  gateway: Pick<TestGateway, 'url'>,
  form: Form,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(`${gateway.url}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

export function basic(id: string, secret: string): { authorization: string } {
  const text = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` };
}

export const grant = { grant_type: 'client_credentials' };

export function bySecret(client: { clientId: string; clientSecret: string }): Record<string, string> {
  return { ...grant, client_id: client.clientId, client_secret: client.clientSecret };
}

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export function byAssertion(clientId: string, assertion: string): Record<string, string> {
  return {
    ...grant,
    client_id: clientId,
    client_assertion_type: assertionType,
    client_assertion: assertion,
  };
}

/** The path of a new directory of the tenant, below `/api/v1`. */
export async function newDirectory(gateway: TestGateway, tenant: TestTenant): Promise<string> {
  const path = `/tenants/${tenant.slug}/directories`;
  const { id } = await made(gateway.api('POST', path, { name: 'Entra', kind: 'entra' }));
  return `${path}/${id}`;
}

export async function newClient(
  gateway: TestGateway,
  directory: string,
  more: Record<string, unknown> = {},
): Promise<Answer['body']> {
  return await made(gateway.api('POST', `${directory}/clients`, { name: 'Sync', ...more }));
}

export const aUser = (userName: string) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName,
});
