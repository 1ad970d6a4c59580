/** The gateway's own keys roll over: what the metadata shows, and what requests are signed with. */

import { createVerify, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { made } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { startTarget, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
  await made(target.gateway.api('PUT', target.path, { signRequests: true }));
});
afterAll(() => target.gateway.close());

const keys = (): Promise<{ id: string; state: string; certificate: string }[]> =>
  made(target.gateway.api('GET', target.path)).then((connection) => connection.keys);
const keyIn = async (state: string) => {
  const found = (await keys()).find((key) => key.state === state);
  if (found === undefined) throw new Error(`no key is ${state}`);
  return found;
};
const call = (method: string, rest: string, body?: object) =>
  target.gateway.api(method, `${target.path}/keys${rest}`, body);
const published = async () => {
  const { text } = await new Browser().send(target.connection.entityId);
  return [...text.matchAll(/<X509Certificate>([^<]*)</g)].map(([, certificate]) => certificate);
};
const base64 = ({ certificate }: { certificate: string }) =>
  certificate.replaceAll(/-----[^-]+-----|\s/g, '');

async function signs(certificate: string): Promise<boolean> {
  const { headers } = await new Browser().send(target.connection.acsUrl.replace(/acs$/, 'login'));
  const [signed = '', signature = ''] = new URL(headers.get('location') ?? '').search
    .slice(1)
    .split('&Signature=');
  const { publicKey } = new X509Certificate(certificate);
  return createVerify('RSA-SHA256').update(signed).verify(publicKey, decodeURIComponent(signature), 'base64');
}

it('the next one is told before it signs, the previous one is there to go back to until it is removed', async () => {
  const old = await keyIn('current');
  const next = await made(call('POST', '', { use: 'signing' }));
  expect(next).toMatchObject({ use: 'signing', state: 'next' });
  expect(await published()).toEqual([base64(old), base64(next)]);
  expect([await signs(old.certificate), await signs(next.certificate)]).toEqual([true, false]);
  expect(await call('POST', '', { use: 'signing' })).toMatchObject({ status: 409 });

  expect(await made(call('POST', `/${next.id}/activate`))).toMatchObject({ state: 'current' });
  expect(await published()).toEqual([base64(next)]);
  expect(await signs(next.certificate)).toBe(true);

  await made(call('POST', `/${old.id}/activate`));
  expect([await signs(old.certificate), (await keyIn('previous')).id]).toEqual([true, next.id]);
  expect(await call('DELETE', `/${old.id}`)).toMatchObject({ status: 409 });
  expect((await call('DELETE', `/${next.id}`)).status).toBe(204);
  expect(await call('POST', `/${next.id}/activate`)).toMatchObject({ status: 404 });
  expect((await keys()).map(({ id }) => id)).toEqual([old.id]);
});

it('a third one takes the place of the previous one', async () => {
  const first = await keyIn('current');
  for (let n = 0; n < 2; n += 1)
    await made(call('POST', `/${(await made(call('POST', '', { use: 'signing' }))).id}/activate`));
  const left = await keys();
  expect(left.map(({ state }) => state)).toEqual(['previous', 'current']);
  expect(left.map(({ id }) => id)).not.toContain(first.id);
  const { items } = await made(
    target.gateway.api('GET', `/tenants/${target.tenant.slug}/audit?action=connection.key_activated`),
  );
  expect(items[0]).toMatchObject({
    subject: target.connection.id,
    before: { key: left[0]?.id },
    after: { key: left[1]?.id },
  });
});
