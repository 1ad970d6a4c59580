import { describe, expect, it } from 'vitest';
import { readConversation } from '../../demo/conversation.ts';
import { peopleOf } from '../../demo/identity-provider/people.ts';
import { isObject } from '../../demo/matcher.ts';

const recordings = ['okta', 'entra'];
const read = (name: string) =>
  readConversation(new URL(`../../demo/recordings/${name}.json`, import.meta.url));

describe.each(recordings)('the recording of %s', (name) => {
  it('tells each step and the end of each person', async () => {
    const { case: id, story, steps } = await read(name);
    expect(id).toBe(name);
    expect(steps.filter((step) => step.note === undefined)).toEqual([]);
    const created = steps.flatMap(({ request: { method, body } }) =>
      method === 'POST' && isObject(body) && 'userName' in body ? [body.userName] : [],
    );
    expect(story?.ends.map((end) => end.userName)).toEqual(created);
  });
});

it('people sign in under the names that the recording leaves them with', async () => {
  const people = peopleOf(await read('okta'));
  expect(people.map(({ displayName }) => displayName)).toEqual([
    ...['Ada Osei', 'Bruno Keller', 'Chiara Moreau', 'Dev Raman', 'Emeka Obi', 'Freya Nilsen', 'Gita Rao'],
  ]);
  expect(people[2]).toMatchObject({
    id: '00u1halcv0chi7',
    name: { givenName: 'Chiara', familyName: 'Moreau' },
    emails: [{ value: 'chiara.lindqvist@halcyon.example' }],
  });
});

it('the recordings fit together: one contract, one set of mappings, people of their own', async () => {
  const [okta, entra] = await Promise.all(recordings.map(read));
  expect(entra?.story?.tenant.mappings).toEqual(okta?.story?.tenant.mappings);
  expect(entra?.story?.tenant.contract).toEqual(okta?.story?.tenant.contract);
  const ends = [okta, entra].flatMap((recording) => recording?.story?.ends ?? []);
  expect(new Set(ends.map((end) => end.userName)).size).toBe(ends.length);
  const held = ends.filter((end) => end.seat === 'held');
  const queued = ends.filter((end) => end.seat === 'queued');
  expect(held).toHaveLength(entra?.story?.seats.held ?? -1);
  expect(queued.map((end) => end.position).toSorted()).toEqual(queued.map((_, index) => index + 1));
});
