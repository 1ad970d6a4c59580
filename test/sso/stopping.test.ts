/** A gateway that is asked to end while it works. */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { attribute, goodResponse } from './forge.ts';
import { post, startTarget } from './target.ts';

it('finishes the login whose response is being verified, and takes no new one', async () => {
  const taken = Promise.withResolvers<void>();
  const onStatement = (sql: string) => sql.startsWith('delete from "sso_requests"') && taken.resolve();
  const target = await startTarget({ observe: { onStatement } });
  const [begun, late] = [await target.begin(), await target.begin()];
  const groups = attribute('groups', ...Array.from({ length: 1500 }, (_, n) => `group ${n}`));
  const attributes = attribute('userName', 'ada@example.com') + groups;
  let isAnswered = false;
  const answer = post(begun, goodResponse(begun, { attributes })).finally(() => {
    isAnswered = true;
  });
  // What follows is the verification, for which a thread is started first.
  await taken.promise;
  const closed = target.gateway.close();
  await sleep(20);
  expect(isAnswered).toBe(false);
  await expect(post(late, goodResponse(late))).rejects.toThrow('fetch failed');
  const page = await answer;
  expect([page.status, page.headers.get('location')]).toEqual([303, '/sso']);
  await closed;
});
