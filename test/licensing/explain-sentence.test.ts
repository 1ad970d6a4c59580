/** Explanations in one sentence, and what is told of the end of an evaluation. */

import { describe, expect, it } from 'vitest';
import { termsAt } from '../../src/licensing/contract.ts';
import { explain } from '../../src/licensing/explain.ts';
import { type ExplainFacts, grantsFrom } from '../../src/licensing/explain-facts.ts';
import { facts, now, terms } from './explained.ts';
import { contract, mapping, rules } from './support.ts';

const one = rules([mapping('a', 1)]);

describe('the sentence', () => {
  const free = rules([mapping('a', 1, { role: 'client' })]);
  const off = rules([mapping('a', 1, { fallbackRole: 'none' })]);
  const asks = 'A asks for team_member (priority 1)';
  const heldBack =
    'A directory changed so much at once that it is held back since 2026-06-01T00:00:00.000Z, until an administrator lets it happen: until then';
  it.each<[string, ExplainFacts]>([
    [`${asks}, and Ann holds a seat.`, facts(['a'], one, 'held')],
    ['A asks for client (priority 1), a free role that needs no seat.', facts(['a'], free, 'none')],
    [
      `${asks}, but 3 of 3 seats are taken: Ann is number 2 in the queue and has view_only meanwhile.`,
      facts(['a'], one, 'waiting', { place: 2 }),
    ],
    [
      `${asks}, but 3 of 3 seats are taken: Ann waits and has no role meanwhile.`,
      facts(['a'], off, 'waiting', { place: 2, terms: { ...terms, policy: 'block' } }),
    ],
    [
      `${asks}, but no contract is in force that gives seats: Ann is number 1 in the queue and has view_only meanwhile.`,
      facts(['a'], one, 'waiting', { place: 1, terms: termsAt(undefined, now) }),
    ],
    [
      `${asks}, but another active person has the same e-mail address.`,
      facts(['a'], one, 'none', { isDuplicate: true }),
    ],
    ['Ann is in no group, so that nothing is asked for.', facts([], one, 'none')],
    ['Ann is in X, which no mapping names.', facts(['x'], one, 'none')],
    [`${heldBack} Ann keeps the seat and team_member.`, facts(['a'], one, 'held', { stagedSince: now })],
    [
      `${heldBack} Ann keeps the place in the queue and view_only.`,
      facts(['a'], one, 'waiting', { stagedSince: now, place: 2 }),
    ],
    [`${heldBack} Ann has no role.`, facts(['x'], one, 'none', { stagedSince: now })],
    [
      'Ann is inactive, and so has no role and no seat.',
      facts(['a'], one, 'none', { active: false, stagedSince: now }),
    ],
  ])('is: %s', (sentence, given) => {
    expect(explain(given).sentence).toBe(sentence);
  });
});

describe('the end of an evaluation', () => {
  it('is told to who keeps a seat, with what would help', () => {
    const frozen = explain(
      facts(['a'], one, 'held', { terms: { ...terms, phase: 'frozen', grants: false } }),
    );
    expect(frozen.reasons).toContain('EVALUATION_ENDED');
    expect(frozen.sentence).toBe(
      'A asks for team_member (priority 1), and Ann keeps a seat, but the evaluation is over: view_only until a contract is signed.',
    );
    expect(frozen.smallestChange).toBe('A contract: it restores what the evaluation had.');
    const graceUntil = new Date('2026-04-11T00:00:00Z');
    const grace = { ...terms, phase: 'grace', grants: false, graceUntil } as const;
    expect(explain(facts(['a'], one, 'held', { terms: grace })).sentence).toContain(
      'holds a seat until 2026-04-11',
    );
  });

  it('is told with the day of what is signed ahead', () => {
    const told = (endsOn: string, startsOn: string) => {
      const evaluation = contract({ kind: 'evaluation', endsOn, policy: 'queue', fallbackRole: 'view_only' });
      const signed = { ...evaluation, later: [contract({ startsOn, endsOn: '2027-12-31' })] };
      const known = { terms: termsAt(signed, now), grantsFrom: grantsFrom(signed, now) };
      return {
        seated: explain(facts(['a'], one, 'held', known)),
        waits: explain(facts(['a'], one, 'waiting', { ...known, place: 1 })).sentence,
      };
    };
    const frozen = told('2026-05-01', '2026-06-10');
    const begins = '2026-06-10T00:00:00.000Z, when what is signed ahead begins';
    expect(frozen.seated.sentence).toContain(`but the evaluation is over: view_only until ${begins}.`);
    expect(frozen.seated.smallestChange).toBe(
      'An earlier first day of what is signed ahead: at 2026-06-10T00:00:00.000Z it restores what the evaluation had.',
    );
    expect(frozen.waits).toContain(
      'no contract is in force that gives seats before 2026-06-10T00:00:00.000Z:',
    );
    expect(told('2026-05-25', '2026-06-05').seated.sentence).toContain(
      'holds a seat: the evaluation is over, and its grace lasts until 2026-06-05T00:00:00.000Z, when what is signed ahead begins.',
    );
    expect(told('2026-05-20', '2026-06-10').seated.sentence).toContain(
      `holds a seat until 2026-06-04T00:00:00.000Z, when the grace of the evaluation is over; the role comes back at ${begins}.`,
    );
    expect(told('2026-12-31', '2027-01-01').seated.sentence).toMatch(/holds a seat\.$/);
  });
});
