/** Many requests at a time, each of which lets one person join the same group: they are carried out together, and told apart. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { each, newRace, numbers, type Race } from './race-support.ts';

let writes = 0;
let gateway: TestGateway;
let race: Race;
let people: string[];
let group: string;

beforeAll(async () => {
  const onStatement = (text: string) => {
    if (text.includes('insert into memberships')) writes += 1;
  };
  gateway = await startGateway({ observe: { onStatement } });
  race = await newRace([gateway]);
  await race.contract(5);
  people = await each(numbers(20), 10, (n) => race.user(`p${n}@example.com`));
  group = await race.group('Staff');
  await race.map({ id: group }, 1);
});
afterAll(() => gateway.close());

const nobody = '00000000-0000-7000-8000-00000000000a';
const trail = async (action: string) =>
  (await gateway.api('GET', `/tenants/${race.slug}/audit?action=${action}&limit=200`)).body.items;
const versionOf = async () => (await race.scim('GET', `/Groups/${group}`)).body.meta.version;

it('refuses only whom it must, and tells of each what it did', async () => {
  writes = 0;
  const named = [...people.slice(0, 10), nobody, ...people.slice(10)];
  const answers = await Promise.all(named.map((id) => race.addMember(group, id)));
  expect(answers.map(({ status }) => status)).toEqual(named.map((id) => (id === nobody ? 400 : 204)));
  expect(answers[10]?.body.detail).toContain(nobody);
  expect(await versionOf(), 'each of them was written once').toBe('W/"21"');

  const requests = named.map((id, n) => [id, answers[n]?.headers.get('x-request-id')]);
  const joined = (await trail('group.members_changed')).map(
    ({ requestId, after }: { requestId: string; after: { added: string[]; removed: string[] } }) => {
      expect(after).toMatchObject({ added: [expect.any(String)], removed: [] });
      return [after.added[0], requestId];
    },
  );
  const expected = requests.filter(([id]) => id !== nobody).sort();
  expect(joined.sort()).toEqual(expected);
  const decided = (await trail('decision.changed')).map(
    ({ subject, requestId }: { subject: string; requestId: string }) => [subject, requestId],
  );
  expect(decided.sort()).toEqual(expected);
});

it('does together what waits', async () => {
  const other = await race.group('Other');
  await race.map({ id: other }, 2);
  writes = 0;
  const answers = await Promise.all(people.map((id) => race.addMember(other, id)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
  expect(writes).toBeLessThan(people.length / 2);
});

it('changes nothing for who is there already, or is named twice', async () => {
  const other = await race.group('Once', [people[0] ?? '']);
  const twice = [people[0], people[1], people[1], people[1]].map((id) => race.addMember(other, id ?? ''));
  expect((await Promise.all(twice)).map(({ status }) => status)).toEqual([204, 204, 204, 204]);
  const { body } = await race.scim('GET', `/Groups/${other}`);
  expect(body.members).toHaveLength(2);
  expect(body.meta.version).toBe('W/"2"');
});
