/** The threads that verify SAML responses, with no gateway around them: what one connection sends holds up and tells no other. */

import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectionId, newId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { fromPem } from '../../src/kernel/self-signed-certificate.ts';
import { addressesOf } from '../../src/sso/connection.ts';
import type { Parties } from '../../src/sso/saml-client.ts';
import { SamlVerifier } from '../../src/sso/saml-verifier-client.ts';
import { goodResponse, idpEntityId, newKeys, type Parts, type Scene } from './forge.ts';

let verifier: SamlVerifier;
let scene: Scene;
let parties: Parties;

beforeAll(async () => {
  const [keys, strangers] = await Promise.all([newKeys(), newKeys()]);
  const addresses = addressesOf('https://gateway.test', newConnection());
  scene = { keys, strangers, acsUrl: addresses.acsUrl, audience: addresses.entityId, requestId: '_asked' };
  const settings = {
    ...{ entityId: idpEntityId, ssoUrl: 'https://idp.test/sso', logoutUrl: null },
    ...{ ssoPostUrl: null, logoutPostUrl: null, preferPost: false },
    ...{ certificates: [fromPem(keys.certificate)], wantAssertionsSigned: true, wantResponseSigned: false },
    ...{ signRequests: false, nameIdFormat: null, forceAuthn: false, authnContexts: [] },
    ...{ allowSha1: false, allowCbc: false, allowIdpInitiated: false },
  };
  parties = { settings, addresses };
});
beforeEach(() => {
  verifier = new SamlVerifier();
});
afterEach(() => verifier.stop());

let made = 0;
const newConnection = () => newId<ConnectionId>(++made);
/** Also what is thrown at once is a rejection. */
const verify = async (connectionId: ConnectionId, xml: string) =>
  await verifier.verify(connectionId, { kind: 'response', parties, xml });
const good = (change: Partial<Parts> = {}) => goodResponse(scene, change);
/** More than the gate lets in: verifying it takes more than twice as long as it may. */
const endless = () => good({ after: '<a b="c"/>'.repeat(20_000) });
const unavailable = { code: 'unavailable', retryAfterSeconds: expect.any(Number) };

describe('a response that takes too long', () => {
  it('is refused, and who wait for its connection and for others are served', async () => {
    const [flooded, other] = [newConnection(), newConnection()];
    await Promise.all([verify(flooded, good()), verify(other, good())]);
    const began = performance.now();
    const late = verify(flooded, endless()).catch((error: unknown) => error);
    const behind = verify(flooded, good({ subject: 'behind' }));
    for (let n = 0; n < 5; n += 1) {
      expect((await verify(other, good({ subject: `other${n}` }))).nameId).toBe(`other${n}`);
    }
    expect(performance.now() - began).toBeLessThan(limits.samlVerifyMsMax);
    expect(await late).toMatchObject({ name: 'Refusal', reason: 'too_costly' });
    expect(performance.now() - began).toBeGreaterThan(limits.samlVerifyMsMax - 100);
    expect((await behind).nameId).toBe('behind');
  });

  it('is cut short when the gateway stops, and who waits hears that', async () => {
    const connection = newConnection();
    await verify(connection, good());
    const all = Promise.allSettled([verify(connection, endless()), verify(connection, good())]);
    const began = performance.now();
    await verifier.stop();
    for (const { status, ...rest } of await all) {
      expect({ status, ...rest }).toMatchObject({ status: 'rejected', reason: unavailable });
    }
    expect(performance.now() - began).toBeLessThan(1000);
    await expect(verify(connection, good())).rejects.toMatchObject(unavailable);
  });
});

describe('a flood', () => {
  /** One more than wait is under way. */
  const flood = (connection: ConnectionId, xml: string) =>
    Array.from({ length: limits.samlWaitingPerConnectionMax + 1 }, () => verify(connection, xml));

  it('of one connection is refused beyond what may wait for it, and other connections are not', async () => {
    const [flooded, other] = [newConnection(), newConnection()];
    const xml = good();
    const all = Promise.all(flood(flooded, xml));
    await expect(verify(flooded, xml)).rejects.toMatchObject(unavailable);
    expect((await verify(other, good({ subject: 'other' }))).nameId).toBe('other');
    expect(new Set((await all).map(({ nameId }) => nameId))).toEqual(new Set(['ada']));
  });

  it('of so many connections that nothing more may wait: each gives a place to whoever has none', async () => {
    const xml = good();
    const connections = limits.samlWaitingMax / limits.samlWaitingPerConnectionMax + limits.samlThreadsMax;
    const all = Promise.allSettled(
      Array.from({ length: connections }, newConnection).flatMap((one) => flood(one, xml)),
    );
    const others = Array.from({ length: 20 }, (_, n) => verify(newConnection(), good({ subject: `o${n}` })));
    expect((await Promise.all(others)).map(({ nameId }) => nameId)).toEqual(others.map((_, n) => `o${n}`));
    const refused = (await all).filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(others.length);
    for (const one of refused) expect(one).toMatchObject({ reason: unavailable });
  });
});

it('many at a time: each is told what its own response says, and nothing is left of the one before', async () => {
  const connections = Array.from({ length: 8 }, newConnection);
  const work = Array.from({ length: 120 }, async (_, n) => {
    const connection = connections[n % connections.length] as ConnectionId;
    if (n % 3 > 0) return [n, (await verify(connection, good({ subject: `person${n}` }))).nameId];
    // Of another's key.
    const bad = goodResponse({ ...scene, keys: scene.strangers }, { subject: `person${n}` });
    return [n, await verify(connection, bad).catch(({ reason }) => reason)];
  });
  const expected = work.map((_, n) => [n, n % 3 > 0 ? `person${n}` : 'signature']);
  expect(await Promise.all(work)).toEqual(expected);
});
