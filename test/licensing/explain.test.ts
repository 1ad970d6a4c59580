/** Explanations: which mapping wins and why the others don't, what would help, in codes and in one sentence. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roomIn } from '../../src/licensing/admit.ts';
import { termsAt } from '../../src/licensing/contract.ts';
import { explain } from '../../src/licensing/explain.ts';
import type { ExplainFacts } from '../../src/licensing/explain-facts.ts';
import { facts, now, terms } from './explained.ts';
import { contract, mapping, rules, userId } from './support.ts';

const one = rules([mapping('a', 1)]);

describe('which mapping wins', () => {
  it('is the best of each workspace, and each other says to which it lost', () => {
    const all = rules([
      mapping('a', 1, { workspaces: ['w1'] }),
      mapping('b', 2, { workspaces: ['w1', 'w2'], role: 'client' }),
      mapping('c', 3, { workspaces: ['w2'] }),
      mapping('other', 4),
    ]);
    const { winner, losers } = explain(facts(['c', 'b', 'a'], all, 'held'));
    expect(winner).toEqual({ mapping: 'a', group: 'A', role: 'team_member', workspace: 'w1', priority: 1 });
    expect(losers.map((loser) => [loser.mapping, loser.workspace, loser.because])).toEqual([
      ['b', 'w1', 'priority 1 wins in this workspace over 2'],
      ['c', 'w2', 'priority 2 wins in this workspace over 3'],
    ]);
  });

  it('is the paid one where there is one: it is what the seat is asked for', () => {
    const all = rules([
      mapping('a', 1, { workspaces: ['w1'], role: 'client' }),
      mapping('b', 2, { workspaces: ['w2'] }),
    ]);
    expect(explain(facts(['a', 'b'], all, 'held')).winner).toMatchObject({ mapping: 'b', priority: 2 });
    expect(explain(facts(['a'], all, 'none')).winner).toMatchObject({ mapping: 'a', priority: 1 });
  });

  it('reads * as the default workspaces', () => {
    const all = rules([mapping('a', 1, { workspaces: ['*'] }), mapping('b', 2)], ['w1', 'w2']);
    const { winner, losers } = explain(facts(['a', 'b'], all, 'held'));
    expect([winner?.workspace, losers.map(({ workspace }) => workspace)]).toEqual(['w1', ['w1']]);
  });

  it('is none for the inactive, whose every mapping says so', () => {
    expect(explain(facts(['a'], one, 'none', { active: false }))).toMatchObject({
      reasons: ['INACTIVE'],
      winner: null,
      losers: [{ mapping: 'a', because: 'the person is inactive' }],
      smallestChange: 'Activate the person in the identity provider.',
      sentence: 'Ann is inactive, and so has no role and no seat.',
    });
  });

  it('is the mapping that the decision rests on, whatever the mappings are', () => {
    const names = ['a', 'b', 'c', 'd'];
    const workspaces = fc.uniqueArray(fc.constantFrom('w1', 'w2', 'w3'), { minLength: 1 });
    const set = fc.tuple(
      ...names.map((name, index) =>
        fc
          .record({ workspaces, role: fc.constantFrom('team_member', 'client', 'custom:X') })
          .map((change) => mapping(name, index + 1, change)),
      ),
    );
    fc.assert(
      fc.property(set, fc.subarray(names, { minLength: 1 }), (mappings, groups) => {
        const all = rules(mappings);
        const given = facts(groups, all, 'held');
        const { winner, losers } = explain(given);
        const requested = given.decision?.requested ?? [];
        expect(requested).toContainEqual(
          expect.objectContaining({ via: `MAPPING:${winner?.mapping}`, workspace: winner?.workspace }),
        );
        const priority = given.decision?.claim?.priority;
        if (priority !== undefined) expect(winner?.priority).toBe(priority);
        const asked = mappings.filter(({ id }) => groups.includes(id)).flatMap((each) => each.workspaces);
        expect(losers).toHaveLength(asked.length - requested.length);
      }),
    );
  });
});

describe('reasons', () => {
  it.each<[string, ExplainFacts, string[]]>([
    ['a seat', facts(['a'], one, 'held'), ['SEAT_HELD', 'MAPPING:a']],
    [
      'the queue',
      facts(['a'], one, 'waiting', { place: 2 }),
      ['SEAT_QUEUED', 'MAPPING:a', 'FALLBACK:view_only'],
    ],
    [
      'a refusal under block',
      facts(['a'], one, 'waiting', { terms: { ...terms, policy: 'block' }, place: 2 }),
      ['SEAT_BLOCKED', 'MAPPING:a', 'FALLBACK:view_only'],
    ],
    [
      'a fallback that nobody is told the queue of',
      facts(['a'], one, 'waiting', { terms: { ...terms, policy: 'fallback' }, place: 2 }),
      ['FALLBACK:view_only', 'MAPPING:a'],
    ],
    ['an address taken', facts(['a'], one, 'none', { isDuplicate: true }), ['DUPLICATE_EMAIL', 'MAPPING:a']],
    ['nothing', facts(['x'], one, 'none'), []],
    [
      'a change that the breaker holds back',
      facts(['a'], one, 'held', { stagedSince: now }),
      ['STAGED', 'MAPPING:a'],
    ],
    ['that of somebody who has nothing', facts(['x'], one, 'none', { stagedSince: now }), ['STAGED']],
  ])('name %s, the deciding one first', (_what, given, reasons) => {
    expect(explain(given).reasons).toEqual(reasons);
  });
});

it('what would be asked for otherwise is told of what changes it alone', () => {
  const all = rules([mapping('a', 1), mapping('b', 2, { role: 'client' })]);
  const changes = (given: ExplainFacts) => explain(given).counterfactuals.map(({ change }) => change);
  expect(changes(facts(['a', 'b'], all, 'held'))).toEqual(['Take the person out of A']);
  const pin = { role: 'client', workspaces: ['w1'], until: null, reserved: false };
  expect(changes(facts(['a', 'b'], all, 'none', { pin }))).toEqual(['Take the pin away']);
});

describe('the smallest change', () => {
  const waits = (place: number, used: number, change: Partial<Omit<ExplainFacts, 'pin'>> = {}) =>
    explain(facts(['a'], one, 'waiting', { place, used, ...change })).smallestChange;

  it('is a seat for the first, and one more for each who is ahead', () => {
    expect(waits(1, 3)).toBe('One more seat.');
    expect(waits(3, 3)).toBe('3 more seats, or one and a mapping of better priority than those ahead.');
  });

  it('makes up first for what is used above the capacity', () => {
    expect(waits(1, 5)).toBe('3 more seats.');
    expect(waits(2, 5)).toBe('4 more seats, or 3 and a mapping of better priority than those ahead.');
  });

  it('is a seat within the capacity for whose days above it are over', () => {
    const grace = termsAt(contract({ policy: 'grace', allowancePercent: 100, graceDays: 10 }), now);
    const days = (n: number) => new Date(now.getTime() - n * 86_400_000);
    const spentSince = (overageSince: Date) => {
      const given = facts(['a'], one, 'waiting', { place: 1, used: 4, terms: grace });
      const decision = given.decision === null ? null : { ...given.decision, overageSince };
      return explain({ ...given, decision }).smallestChange;
    };
    expect(spentSince(days(10))).toBe('2 more seats.');
    expect(spentSince(days(9)), 'one is free for who has days left').toBeNull();
  });

  it('counts those ahead, not those who are named', () => {
    const ahead = [{ id: userId('bob'), userName: 'bob' }];
    expect(waits(4000, 3, { ahead })).toMatch(/^4000 more seats,/);
    expect(waits(4000, 3, { ahead, terms: { ...terms, policy: 'block' } })).toMatch(/^4000 more seats,/);
  });

  it('is exactly as many seats as reach this person', () => {
    const counts = fc.record({
      used: fc.nat({ max: 12 }),
      place: fc.integer({ min: 1, max: 9 }),
      allowancePercent: fc.nat({ max: 120 }),
    });
    fc.assert(
      fc.property(counts, ({ used, place, allowancePercent }) => {
        const signed = (seats: number) =>
          contract({ policy: 'allow', allowancePercent, paidSeats: 3 + seats });
        const text = waits(place, used, { terms: termsAt(signed(0), now) });
        const more = text === null ? 0 : Number(/^\d+/.exec(text)?.[0] ?? 1);
        const reach = (seats: number) => {
          const usage = { held: used, overage: 0, onHold: 0, unmanagedPaid: 0 };
          const room = roomIn(termsAt(signed(seats), now), usage);
          return room.held + room.overage >= place;
        };
        expect(reach(more)).toBe(true);
        if (more > 0) expect(reach(more - 1)).toBe(false);
      }),
    );
  });

  it('is a contract where none gives seats', () => {
    expect(waits(1, 0, { terms: termsAt(undefined, now) })).toBe('A contract that is in force today.');
  });

  it('is a contract with as many seats as are taken and wanted where one is over and they are all taken', () => {
    const ended = termsAt(contract({ endsOn: '2026-05-31' }), now);
    expect(waits(2, 3, { terms: ended })).toBe('A contract that is in force today, for 5 seats or more.');
  });

  it('is to be seen for whose seat lies idle, and a seat for who has notice of a better claim', () => {
    const takenAt = new Date('2026-06-09T00:00:00Z');
    const idle = explain(facts(['a'], one, 'held', { takenAt }));
    expect(idle.sentence).toContain('it is taken at 2026-06-09T00:00:00.000Z, unless Ann is seen before');
    expect(idle.smallestChange).toMatch(/^The person signs in/);
    const noticed = explain(
      facts(['a'], one, 'held', {
        seat: { state: 'held', position: null, since: now, reason: 'PREEMPTED_AT:2026-06-02T00:00:00.000Z' },
      }),
    );
    expect(noticed.sentence).toContain('goes at 2026-06-02T00:00:00.000Z to whoever claims it before Ann');
    expect(noticed.smallestChange).toMatch(/^More seats/);
  });

  it('is a free seat beside the approval, or the activation, where none is', () => {
    const asked = (used: number) => {
      const given = facts(['a'], one, 'waiting', { used });
      const decision = given.decision && ({ ...given.decision, approval: 'pending' } as const);
      return explain({ ...given, decision }).smallestChange;
    };
    expect(asked(2)).toBe("An administrator's approval.");
    expect(asked(3)).toBe("An administrator's approval, and a seat that is free.");
    const block = termsAt(contract({ policy: 'block' }), now);
    const gone = (used: number) =>
      explain(facts(['a'], one, 'none', { active: false, terms: block, used })).smallestChange;
    expect(gone(2)).toBe('Activate the person in the identity provider.');
    expect(gone(3)).toBe('Activate the person in the identity provider, once a seat is free.');
  });

  it('is to come back in time for whose seat is kept, whatever free role they have meanwhile', () => {
    const free = rules([mapping('a', 1, { role: 'client' })]);
    const given = facts(['a'], free, 'hold');
    const kept = { claimedAt: now, until: new Date('2026-06-01T01:00:00Z') };
    const told = explain({ ...given, decision: given.decision && { ...given.decision, kept } });
    expect(told.sentence).toBe(
      'A asks for client (priority 1); Ann was taken out of the last group that asked for a paid role, and the seat is kept until 2026-06-01T01:00:00.000Z.',
    );
    expect(told.smallestChange).toBe('Put the person into a mapped group before the place lapses.');
    const waited = facts(['a'], free, 'none');
    const remembered = explain({ ...waited, decision: waited.decision && { ...waited.decision, kept } });
    expect(remembered.sentence).toBe(
      'A asks for client (priority 1), a free role that needs no seat; the place in the queue is kept until 2026-06-01T01:00:00.000Z.',
    );
    expect(remembered.smallestChange).toBe(told.smallestChange);
  });

  it('is other days for a mapping that does not count yet, or no longer', () => {
    const day = (text: string) => new Date(`${text}T00:00:00Z`);
    const told = (change: Parameters<typeof mapping>[2]) =>
      explain(facts(['a'], rules([mapping('a', 1, change)]), 'none'));
    const later = told({ validFrom: day('2026-07-01') });
    expect(later.sentence).toBe(
      'Ann is in A, whose mapping to team_member begins at 2026-07-01T00:00:00.000Z.',
    );
    expect(later.smallestChange).toBe('Other days for the mapping of "A".');
    expect(told({ validUntil: day('2026-05-01') }).sentence).toContain('ended at 2026-05-01T00:00:00.000Z');
  });

  it('is a group or a mapping for whom nothing is asked', () => {
    const change = (groups: string[]) => explain(facts(groups, one, 'none')).smallestChange;
    expect(change([])).toBe('Put the person into a mapped group.');
    expect(change(['x', 'y'])).toBe('Map one of the person\'s groups: "X" and "Y".');
    const many = change(Array.from({ length: 40 }, (_, index) => `g${index}`));
    expect(many).toBe('Map one of the person\'s groups: "G0", "G1", "G2", "G3" and 36 more.');
  });

  it('is another address for the second of one', () => {
    expect(explain(facts(['a'], one, 'none', { isDuplicate: true })).smallestChange).toMatch(/address/);
  });

  it('is none where nothing is wanting', () => {
    expect(explain(facts(['a'], one, 'held')).smallestChange).toBeNull();
    const free = rules([mapping('a', 1, { role: 'client' })]);
    expect(explain(facts(['a'], free, 'none')).smallestChange).toBeNull();
    expect(waits(1, 2), 'a seat is free, and given in a moment').toBeNull();
  });

  it('is an administrator for whom the breaker holds back', () => {
    const { smallestChange } = explain(facts(['x'], one, 'none', { stagedSince: now }));
    expect(smallestChange).toBe('An administrator who lets the change of the directory happen.');
  });
});
