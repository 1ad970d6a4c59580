/** What a login of a known person costs the database, and that many at a time keep apart. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { made } from '../support/gateway.ts';
import { attribute, goodResponse } from './forge.ts';
import { type Begun, post, startTarget, type Target } from './target.ts';

let target: Target;
const statements: string[] = [];
const waits: string[] = [];

beforeAll(async () => {
  const note = (list: string[]) => (text: string) => {
    // What the background does by itself is not of a login.
    if (!/^select (\* from )?find_(?!sso)|test_clock/.test(text)) list.push(text);
  };
  target = await startTarget({ observe: { onStatement: note(statements), onWait: note(waits) } });
});
afterAll(() => target.gateway.close());

const answerOf = (begun: Begun, subject: string) =>
  goodResponse(begun, { subject, attributes: attribute('userName', `${subject}@example.com`) });

it('its beginning takes 6 statements, BEGIN and COMMIT included, and waits three times', async () => {
  statements.length = 0;
  waits.length = 0;
  await target.begin();
  expect([statements.length, waits.length]).toEqual([6, 3]);
});

it('its answer takes 12 statements, BEGIN and COMMIT included, and waits four times', async () => {
  await target.goodLogin();
  const begun = await target.begin();
  const xml = answerOf(begun, 'ada');
  statements.length = 0;
  waits.length = 0;
  expect((await post(begun, xml)).status).toBe(303);
  expect([statements.length, waits.length]).toEqual([12, 4]);
});

it('with a groups claim that says what it said before one statement more, which waits with the others', async () => {
  await made(target.gateway.api('PUT', target.path, { jit: { groupsClaim: 'groups' } }));
  const answer = async () => {
    const begun = await target.begin();
    const attributes = attribute('userName', 'ada@example.com') + attribute('groups', 'a', 'b');
    const xml = goodResponse(begun, { subject: 'ada', attributes });
    statements.length = 0;
    waits.length = 0;
    expect((await post(begun, xml)).status).toBe(303);
    return [statements.length, waits.length];
  };
  await answer();
  expect(await answer()).toEqual([13, 4]);
  expect(statements.filter((text) => /seat_pools|advisory/.test(text))).toEqual([]);
  await made(target.gateway.api('PUT', target.path, { jit: { groupsClaim: null } }));
});

it('sixteen at a time: each is who it is, at the first login and at the next', async () => {
  const people = Array.from({ length: 64 }, (_, n) => `person${n}`);
  const signIn = async (subject: string) => {
    const begun = await target.begin();
    expect((await post(begun, answerOf(begun, subject))).status).toBe(303);
    const { text } = await begun.browser.send(`${target.gateway.url}/sso/session`);
    expect(JSON.parse(text).name).toBe(`${subject}@example.com`);
  };
  for (const waiting of [[...people], [...people]]) {
    const lanes = Array.from({ length: 16 }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await signIn(next);
    });
    await Promise.all(lanes);
  }
});
