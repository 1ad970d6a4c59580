/**
 * What anybody can post takes no time and memory of those who are served: it is refused before a signature is
 * looked at, and what is verified is so in a thread of its own.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made } from '../support/gateway.ts';
import { attribute, goodResponse, idpEntityId, newKeys } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { type Begun, base64, post, startTarget, type Target } from './target.ts';

/** A hundred on a machine that does nothing else. */
const cpuMsMax = 250;

let target: Target;
beforeAll(async () => {
  target = await startTarget();
  await target.goodLogin();
});
afterAll(() => target.gateway.close());

const values = (count: number) => Array.from({ length: count }, (_, n) => `group-${n}`);
const groups = (begun: Begun, count: number) =>
  goodResponse(begun, {
    attributes: attribute('userName', 'ada@example.com') + attribute('groups', ...values(count)),
  });

/** How long the process was held up at most, and what grew, while something was done. */
async function watched<T>(work: () => Promise<T>) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const before = process.memoryUsage().rss;
  const cpu = process.cpuUsage();
  delay.enable();
  const began = performance.now();
  const result = await work();
  const ms = performance.now() - began;
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const grownBytes = process.memoryUsage().rss - before;
  return { result, ms, cpuMs: (user + system) / 1000, heldUpMs: delay.max / 1e6, grownBytes };
}

/** Small enough to be read, and too much to be one. */
const hostile: Record<string, () => string> = {
  '300,000 elements': () => `<a>${'<b/>'.repeat(300_000)}</a>`,
  'as many elements as there is room for': () => `<a>${'<b/>'.repeat(60_000)}</a>`,
  '100,000 deep': () => `${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}`,
  'as deep as there is room for': () => `${'<a>'.repeat(35_000)}${'</a>'.repeat(35_000)}`,
  'an element of 20,000 attributes': () =>
    `<a ${Array.from({ length: 20_000 }, (_, n) => `a${n}=""`).join(' ')}/>`,
  'white space that something stands behind': () => {
    const ns = 'xmlns="urn:oasis:names:tc:SAML:2.0:protocol"';
    const status = '<Status><StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></Status>';
    return `<Response ${ns}>${status}a${' '.repeat(190_000)}b</Response>`;
  },
};

describe('SAML-ATK-51: it is refused at once, in flat memory:', () => {
  for (const [name, write] of Object.entries(hostile)) {
    it(name, async () => {
      const begun = await target.begin();
      const body = base64(write());
      const fields = { SAMLResponse: body, RelayState: begun.relayState };
      // The first of a kind warms up; the process collects what other tests left when it likes.
      await begun.browser.send(begun.acsUrl, fields, true);
      const costsMs: number[] = [];
      for (let n = 0; n < 3; n += 1) {
        const { result, cpuMs, grownBytes } = await watched(() =>
          begun.browser.send(begun.acsUrl, fields, true),
        );
        expect([403, 413]).toContain(result.status);
        expect(grownBytes).toBeLessThan(64 * 1024 * 1024);
        costsMs.push(cpuMs);
      }
      expect(Math.min(...costsMs)).toBeLessThan(cpuMsMax);
      await target.goodLogin();
    });
  }

  it('more than 2,000 values of groups; just as many are let in', async () => {
    const [many, tooMany] = [await target.begin(), await target.begin()];
    const [good, bad] = [groups(many, 2000), groups(tooMany, 2001)];
    expect((await post(many, good)).status).toBe(303);
    const { result, cpuMs } = await watched(() => post(tooMany, bad));
    expect(result.status).toBe(403);
    expect(cpuMs).toBeLessThan(cpuMsMax);
  });
});

/** What others are told meanwhile, and after how many milliseconds. */
async function lookedAt<T>(work: () => Promise<T>) {
  const health: number[] = [];
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      const began = performance.now();
      expect((await fetch(`${target.gateway.url}/healthz`)).status).toBe(200);
      health.push(performance.now() - began);
      await new Promise((done) => setTimeout(done, 10));
    }
  })();
  const seen = await watched(work).finally(() => {
    isOver = true;
  });
  await looking;
  health.sort((a, b) => a - b);
  return { ...seen, medianMs: health[Math.floor(health.length / 2)] };
}

it('while it is posted again and again, others are served as ever', async () => {
  const begun = await target.begin();
  const posts = Object.values(hostile).map((write) => ({
    SAMLResponse: base64(write()),
    RelayState: begun.relayState,
  }));
  const { result, heldUpMs, medianMs } = await lookedAt(async () => {
    const statuses: number[] = [];
    for (const fields of [...posts, ...posts, ...posts]) {
      statuses.push((await begun.browser.send(begun.acsUrl, fields, true)).status);
    }
    return statuses;
  });
  expect(new Set(result)).toEqual(new Set([403, 413]));
  expect(heldUpMs).toBeLessThan(cpuMsMax);
  expect(medianMs).toBeLessThan(cpuMsMax / 5);
});

it.each([1, 3])('while the dearest responses are verified by %i certificates, too', async (certificates) => {
  const others = await Promise.all(Array.from({ length: certificates - 1 }, newKeys));
  const trusted = [...others, target.keys].map(({ certificate }) => certificate);
  const metadataXml = metadataOf(idpEntityId, 'http://localhost:1/sso', ...trusted);
  await made(target.gateway.api('PUT', target.path, { metadataXml }));
  const begun = await Promise.all(Array.from({ length: 4 }, () => target.begin()));
  // Signed by nobody whom the connection knows: every certificate is tried.
  const bad = begun.map((one) => ({ one, xml: groups({ ...one, keys: target.strangers }, 1999) }));
  const { result, ms, heldUpMs, medianMs } = await lookedAt(() =>
    Promise.all(bad.map(({ one, xml }) => post(one, xml))),
  );
  expect(result.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  // On the thread that serves each would hold it up for a quarter of the time.
  expect(heldUpMs).toBeLessThan(ms / 6);
  expect(medianMs).toBeLessThan(ms / 20);
  await target.goodLogin();
});
