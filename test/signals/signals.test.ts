/** Receivers are told when people's sessions end (Shared Signals Framework 1.0, CAEP 1.0, RFC 8935, RFC 8936). */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { lockStream } from '../../src/signals/stream-store.ts';
import { attribute, goodResponse } from '../sso/forge.ts';
import { type Begun, jit, post, startTarget, type Target } from '../sso/target.ts';
import { made } from '../support/gateway.ts';
import { PushTarget, Receiver } from './receiver.ts';

const revoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
const [push, poll] = ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936'];
const audience = 'https://receiver.example';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target.gateway.close());

async function newReceiver(slug = target.tenant.slug) {
  const body = { name: 'Security desk', audience };
  const { id, token } = await made(target.gateway.api('POST', `/tenants/${slug}/signal-receivers`, body));
  return { id, receiver: new Receiver(target.gateway, token) };
}

let count = 0;
/** Somebody new, who is signed in. Answers the user's id. */
async function signIn(at = target.connection): Promise<{ userId: string; begun: Begun }> {
  count += 1;
  const begun = await target.begin(at);
  const userName = attribute('userName', `person${count}@example.com`);
  const xml = goodResponse(begun, { subject: `person${count}`, attributes: userName });
  expect((await post(begun, xml)).status).toBe(303);
  const { text } = await begun.browser.send(`${target.gateway.url}/sso/session`);
  return { userId: JSON.parse(text).sub, begun };
}

let scim = '';
async function deactivate(userId: string) {
  if (scim === '') scim = await target.tenant.directoryToken('generic');
  const Operations = [{ op: 'replace', path: 'active', value: false }];
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
  const answer = await target.gateway.scim(scim, 'PATCH', `/Users/${userId}`, { schemas, Operations });
  expect(answer.status).toBe(200);
}

async function until<T>(read: () => Promise<T | undefined> | T | undefined, ms = 5000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await read();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error('it did not come');
    await new Promise((done) => setTimeout(done, 50));
  }
}

const subjectOf = (userId: string) => ({
  format: 'iss_sub',
  iss: expect.stringMatching(/\/oidc$/),
  sub: userId,
});

describe('a stream that is polled', () => {
  let receiver: Receiver;
  let receiverId: string;
  let stream: { stream_id: string };
  beforeEach(async () => {
    ({ receiver, id: receiverId } = await newReceiver());
    const { status, body } = await receiver.send('POST', '/ssf/stream', { delivery: { method: poll } });
    expect(status).toBe(201);
    stream = body;
  });
  const ask = async (body: object = {}) =>
    (await receiver.send('POST', `/ssf/poll/${stream.stream_id}`, body)).body as {
      sets: Record<string, string>;
      moreAvailable: boolean;
    };

  it('tells whose session was revoked, until the receiver has taken it', async () => {
    const { userId } = await signIn();
    await deactivate(userId);
    const { sets } = await ask();
    const [[jti, token] = ['', '']] = Object.entries(sets);
    expect(await receiver.read(token, audience)).toMatchObject({
      jti,
      aud: audience,
      sub_id: subjectOf(userId),
      events: { [revoked]: { event_timestamp: expect.any(Number) } },
    });
    expect(Object.keys((await ask()).sets)).toEqual([jti]);
    expect(await ask({ ack: [jti] })).toEqual({ sets: {}, moreAvailable: false });
  });

  it('says when there is more', async () => {
    for (const { userId } of [await signIn(), await signIn()]) await deactivate(userId);
    const first = await ask({ maxEvents: 1 });
    expect([Object.keys(first.sets).length, first.moreAvailable]).toEqual([1, true]);
    const next = await ask({ maxEvents: 1, setErrs: { [Object.keys(first.sets)[0] ?? '']: { err: 'x' } } });
    expect([Object.keys(next.sets).length, next.moreAvailable]).toEqual([1, false]);
  });

  it('tells of a deletion, of a connection that is switched off or removed, and of nobody’s own sign-out', async () => {
    const { begun } = await signIn();
    await begun.browser.send(`${target.gateway.url}/sso/logout`, {});
    expect((await ask()).sets).toEqual({});
    const { metadataXml, tenant } = target;
    const connections = `/tenants/${tenant.slug}/connections`;
    const body = { protocol: 'saml', name: 'x', metadataXml, jit };
    const removed = await made(target.gateway.api('POST', connections, body));
    const [deleted, other, left] = [await signIn(), await signIn(), await signIn(removed)];
    await target.gateway.scim(
      scim || (await target.tenant.directoryToken('generic')),
      'DELETE',
      `/Users/${deleted.userId}`,
    );
    await made(target.gateway.api('PUT', target.path, { enabled: false }));
    await made(target.gateway.api('PUT', target.path, { enabled: true }));
    await made(target.gateway.api('DELETE', `${connections}/${removed.id}`));
    const tokens = Object.values((await ask()).sets);
    const subjects = await Promise.all(
      tokens.map(async (token) => ((await receiver.read(token, audience)).sub_id as { sub: string }).sub),
    );
    expect(subjects).toEqual(expect.arrayContaining([deleted.userId, other.userId, left.userId]));
  });

  it('is told nothing of another tenant, and its token opens nothing there', async () => {
    const elsewhere = (await newReceiver(target.elsewhere.slug)).receiver;
    expect((await elsewhere.send('POST', '/ssf/stream', {})).status).toBe(201);
    const { userId } = await signIn();
    await deactivate(userId);
    const path = `/ssf/poll/${stream.stream_id}`;
    expect((await elsewhere.send('POST', path, {})).status).toBe(404);
    const [own] = (await elsewhere.send('GET', '/ssf/stream')).body;
    expect((await elsewhere.send('POST', `/ssf/poll/${own.stream_id}`, {})).body.sets).toEqual({});
  });

  it('verifies itself with the state that was asked for (SSF §8.1.4)', async () => {
    const asked = { stream_id: stream.stream_id, state: 'abc' };
    expect((await receiver.send('POST', '/ssf/verify', asked)).status).toBe(204);
    const [token = ''] = Object.values((await ask()).sets);
    expect(await receiver.read(token, audience)).toMatchObject({
      sub_id: { format: 'opaque', id: stream.stream_id },
      events: { [verification]: { state: 'abc' } },
    });
  });

  it('has a bounded number of verifications waiting', async () => {
    const takeAll = async () => ask({ ack: Object.keys((await ask()).sets) });
    const verify = () => receiver.send('POST', '/ssf/verify', { stream_id: stream.stream_id });
    await takeAll();
    const statuses: number[] = [];
    for (let i = 0; i <= limits.signalVerificationsMax; i++) statuses.push((await verify()).status);
    expect(statuses).toEqual([...Array(limits.signalVerificationsMax).fill(204), 429]);
    await takeAll();
    expect((await verify()).status).toBe(204);
    await takeAll();
  });

  it('keeps what comes while it is paused, and loses it while it is disabled', async () => {
    const set = (status: string) =>
      receiver.send('POST', '/ssf/status', { stream_id: stream.stream_id, status, reason: 'maintenance' });
    await set('paused');
    await deactivate((await signIn()).userId);
    expect((await ask()).sets).toEqual({});
    await set('disabled');
    await deactivate((await signIn()).userId);
    expect((await set('enabled')).body).toEqual({
      stream_id: stream.stream_id,
      status: 'enabled',
      reason: 'maintenance',
    });
    expect(Object.keys((await ask()).sets)).toHaveLength(1);
  });

  it('is read, polled and told of while somebody changes it, and is changed by one after the other', async () => {
    const { userId } = await signIn();
    const database = openDatabase({ url: target.gateway.databaseUrl, poolSize: 1 });
    const body = { stream_id: stream.stream_id, status: 'paused' };
    let isChanged = false;
    const changing = await inTenant(database, target.tenant.tenantId as TenantId, async (tx) => {
      await lockStream(tx, receiverId);
      const change = receiver.send('POST', '/ssf/status', body).then(({ status }) => {
        isChanged = true;
        return status;
      });
      await deactivate(userId);
      for (const path of ['/ssf/stream', `/ssf/status?stream_id=${stream.stream_id}`]) {
        expect((await receiver.send('GET', path)).status).toBe(200);
      }
      expect(Object.keys((await ask()).sets)).toHaveLength(1);
      expect(isChanged).toBe(false);
      return { change };
    });
    expect(await changing.change).toBe(200);
    await database.close();
  });

  it('is one for each receiver, and goes', async () => {
    expect((await receiver.send('POST', '/ssf/stream', {})).status).toBe(409);
    const path = `/ssf/stream?stream_id=${stream.stream_id}`;
    expect((await receiver.send('GET', path)).body).toMatchObject({ ...stream, events_delivered: [revoked] });
    expect((await receiver.send('DELETE', path)).status).toBe(204);
    expect((await receiver.send('GET', path)).status).toBe(404);
  });
});

describe('a stream that is pushed', () => {
  let endpoint: PushTarget;
  let receiver: Receiver;
  beforeEach(async () => {
    endpoint = await PushTarget.start();
    ({ receiver } = await newReceiver());
    const delivery = { method: push, endpoint_url: endpoint.url, authorization_header: 'Bearer theirs' };
    const { status, body } = await receiver.send('POST', '/ssf/stream', {
      delivery,
      events_requested: [revoked, 'x'],
    });
    expect([status, body.events_delivered]).toEqual([201, [revoked]]);
    expect(JSON.stringify(body)).not.toContain('theirs');
    return () => endpoint.stop();
  });

  it('is told within five seconds of a deactivation, with its own authorization', async () => {
    const { userId } = await signIn();
    await deactivate(userId);
    const { authorization, type, token } = await until(() => endpoint.pushes[0]);
    expect([authorization, type]).toEqual(['Bearer theirs', 'application/secevent+jwt']);
    expect(await receiver.read(token, audience)).toMatchObject({ sub_id: subjectOf(userId) });
  });

  it('is tried again under the same jti where it fails, and not where it refuses', async () => {
    endpoint.answers.push(503, 202);
    await deactivate((await signIn()).userId);
    const [first, second] = await until(
      () => (endpoint.pushes.length > 1 ? endpoint.pushes : undefined),
      8000,
    );
    const jtiOf = async (token = '') => (await receiver.read(token, audience)).jti;
    expect(await jtiOf(second?.token)).toBe(await jtiOf(first?.token));
    endpoint.answers.push(400);
    await deactivate((await signIn()).userId);
    await until(() => (endpoint.pushes.length > 2 ? true : undefined));
    await new Promise((done) => setTimeout(done, 2500));
    expect(endpoint.pushes).toHaveLength(3);
  }, 20_000);

  it('waits for no receiver of another tenant', async () => {
    const silent = await PushTarget.start();
    silent.isSilent = true;
    const verify = async (of: Receiver, stream_id: string) =>
      expect((await of.send('POST', '/ssf/verify', { stream_id })).status).toBe(204);
    try {
      const other = (await newReceiver(target.elsewhere.slug)).receiver;
      const delivery = { method: push, endpoint_url: silent.url };
      await verify(other, (await other.send('POST', '/ssf/stream', { delivery })).body.stream_id);
      await until(() => silent.pushes[0]);
      await verify(receiver, (await receiver.send('GET', '/ssf/stream')).body[0].stream_id);
      await until(() => endpoint.pushes[0], limits.signalPushMsMax - 2000);
    } finally {
      await silent.stop();
    }
  });
});

describe('it is refused', () => {
  it.each([
    ['delivery.method', { delivery: { method: 'x' } }],
    ['delivery.endpoint_url', { delivery: { method: push } }],
    ['delivery.endpoint_url', { delivery: { method: push, endpoint_url: 'file:///etc/passwd' } }],
    [
      'delivery.authorization_header',
      { delivery: { method: push, endpoint_url: audience, authorization_header: 'a\nb' } },
    ],
    ['events_requested', { events_requested: 'x' }],
    ['description', { description: 'x'.repeat(2000) }],
  ])('%s, by its name', async (field, body) => {
    const { receiver } = await newReceiver(target.elsewhere.slug);
    expect(await receiver.send('POST', '/ssf/stream', body)).toMatchObject({ status: 400, body: { field } });
  });

  it('without a token, and with one of a receiver that was dismissed', async () => {
    const { id, receiver } = await newReceiver(target.elsewhere.slug);
    const path = `/tenants/${target.elsewhere.slug}/signal-receivers`;
    expect((await made(target.gateway.api('GET', path))).items).toEqual(
      expect.arrayContaining([expect.objectContaining({ id, stream: null })]),
    );
    expect((await target.gateway.api('DELETE', `${path}/${id}`)).status).toBe(204);
    expect((await receiver.send('GET', '/ssf/stream')).status).toBe(401);
    expect((await target.gateway.api('GET', `${path}/${id}`)).status).toBe(404);
  });
});
