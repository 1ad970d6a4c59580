/** What a login of a known person by OpenID Connect costs the database. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { OidcScene } from './scene.ts';

let scene: OidcScene;
const statements: string[] = [];
const waits: string[] = [];

beforeAll(async () => {
  const note = (list: string[]) => (text: string) => {
    // What the background does by itself is not of a login.
    if (!/^select (\* from )?find_(?!sso)|test_clock/.test(text)) list.push(text);
  };
  scene = await OidcScene.start({ observe: { onStatement: note(statements), onWait: note(waits) } });
});
afterAll(() => scene.stop());

async function costOf<T>(work: () => Promise<T>): Promise<{ cost: number[]; result: T }> {
  statements.length = 0;
  waits.length = 0;
  const result = await work();
  return { cost: [statements.length, waits.length], result };
}

it('begins with 7 statements, BEGIN and COMMIT included, and three waits, and ends with 13 and four', async () => {
  await scene.goodLogin();
  const begun = await costOf(() => scene.begin());
  const answered = await costOf(() => scene.comeBack(begun.result));
  expect(answered.result.headers.get('location')).toBe('/sso');
  expect([begun.cost, answered.cost]).toEqual([
    [7, 3],
    [13, 4],
  ]);
});
