/** Which alerts are due: once for each threshold and term, armed again three points below. */

import { describe, expect, it } from 'vitest';
import { type AlertFacts, dueAlerts, nextLook, type Raised } from '../../src/licensing/alert.ts';
import { type Contract, type ContractLine, overagePolicies } from '../../src/licensing/contract.ts';
import { contract } from './support.ts';

const unknown = { history: 0, p50: null, p90: null, fullBeforeTermEnd: null };
const noon = new Date('2026-05-01T12:00:00Z');

/** Looks one after the other, each with what the one before left. */
class Watcher {
  raised: Raised = { period: '', marks: [] };
  facts: AlertFacts;

  constructor(change: Partial<Contract> = {}) {
    const usage = { held: 0, overage: 0, onHold: 0, unmanagedPaid: 0 };
    this.facts = {
      contract: contract({ policy: 'queue', paidSeats: 100, ...change }),
      ...{
        usage,
        forecast: unknown,
        excessSince: null,
        blockLiftedAt: null,
        staged: null,
        waitingClaims: null,
        waitingEdits: [],
        failedDrafts: [],
        missingDomains: [],
        connections: [],
      },
      comparison: { differing: 0, miscounted: 0 },
    };
  }

  look(change: Partial<AlertFacts> = {}, now = noon) {
    this.facts = { ...this.facts, ...change };
    const { alerts, raised } = dueAlerts(this.facts, this.raised, now);
    this.raised = raised;
    return alerts;
  }

  /** Percent, or seats left, of each alert. */
  use(held: number): (number | string)[] {
    const usage = { held, overage: 0, onHold: 0, unmanagedPaid: 0 };
    return this.look({ usage }).map((alert) =>
      alert.kind === 'seats_used'
        ? alert.percent
        : alert.kind === 'seats_left'
          ? `${alert.left} left`
          : alert.kind,
    );
  }
}

describe('seats', () => {
  it('are told of once at each threshold, the highest for those below', () => {
    const one = new Watcher();
    expect([0, 79, 80, 81, 89, 90, 96, 99, 100, 100].map((held) => one.use(held))).toEqual([
      [],
      [],
      [80],
      [],
      [],
      [90],
      [95],
      [],
      [100],
      [],
    ]);
    expect(new Watcher().use(100)).toEqual([100]);
    const jump = new Watcher();
    expect([jump.use(92), jump.use(80), jump.use(92)]).toEqual([[90], [], [90]]);
  });

  it('are told of again after they fell three points', () => {
    const one = new Watcher();
    const uses = [90, 88, 90, 87, 90, 77, 80];
    expect(uses.map((held) => one.use(held))).toEqual([[90], [], [], [], [90], [], [80]]);
  });

  it('that others take, or that are kept, count', () => {
    const usage = { held: 50, overage: 0, onHold: 10, unmanagedPaid: 20 };
    expect(new Watcher().look({ usage })).toEqual([
      { kind: 'seats_used', percent: 80, taken: 80, capacity: 100 },
    ]);
  });

  it('of a small pool are counted down', () => {
    const one = new Watcher({ paidSeats: 20 });
    expect([14, 15, 16, 18, 19, 20].map((held) => one.use(held))).toEqual([
      [],
      ['5 left'],
      [80],
      [90, '2 left'],
      [95, '1 left'],
      [100],
    ]);
    expect([19, 18, 19].map((held) => one.use(held))).toEqual([[], [], [95, '1 left']]);
    expect(new Watcher({ paidSeats: 21 }).use(16)).toEqual([]);
    expect(new Watcher({ paidSeats: 2 }).use(0), 'nothing was taken yet').toEqual([]);
  });

  it.each(overagePolicies)('under policy %s', (policy) => {
    expect(new Watcher({ policy }).use(100)).toEqual(policy === 'fallback' ? [] : [100]);
  });

  it('without a limit, without a contract, before its beginning and after its end are not told of', () => {
    expect(new Watcher({ paidSeats: null }).use(100)).toEqual([]);
    expect(new Watcher({ startsOn: '2026-06-01' }).use(100)).toEqual([]);
    expect(new Watcher({ endsOn: '2026-04-30' }).use(100)).toEqual(['contract_ended']);
    const none = new Watcher();
    none.facts = { ...none.facts, contract: undefined };
    expect(none.use(100)).toEqual([]);
  });

  it('are told of anew in another term', () => {
    const one = new Watcher();
    expect(one.use(85)).toEqual([80]);
    const renewed = contract({ policy: 'queue', paidSeats: 100, endsOn: '2027-12-31' });
    expect(one.look({ contract: renewed })).toMatchObject([{ kind: 'seats_used', percent: 80 }]);
    expect(one.look()).toEqual([]);
  });
});

it('tells of a forecast once, until it is clearly another', () => {
  const one = new Watcher();
  const probabilities = [null, 0.4, 0.5, 0.9, 0.3, 0.6, 0.2, 0.5];
  const told = probabilities.map((fullBeforeTermEnd) =>
    one.look({ forecast: { ...unknown, p50: '2026-10-01', fullBeforeTermEnd } }).map(({ kind }) => kind),
  );
  expect(one.look({ forecast: null }), 'none is made').toEqual([]);
  expect(one.look({ forecast: { ...unknown, fullBeforeTermEnd: 0.9 } })).toEqual([]);
  const full = ['full_before_term_end'];
  expect(told).toEqual([[], [], full, [], [], [], [], full]);
});

describe('time', () => {
  it('tells of the end of a contract once, and of a longer one', () => {
    const one = new Watcher({ endsOn: '2026-06-30' });
    expect(one.look({}, new Date('2026-06-30T23:59:59.999Z'))).toEqual([]);
    const after = new Date('2026-07-01T00:00:00Z');
    expect(one.look({}, after)).toEqual([
      { kind: 'contract_ended', endsOn: '2026-06-30', phase: 'ended', graceUntil: null },
    ]);
    expect(one.look({}, new Date('2026-08-01T00:00:00Z'))).toEqual([]);
    const longer = contract({ endsOn: '2026-09-30', paidSeats: 100 });
    expect(one.look({ contract: longer }, new Date('2026-08-01T00:00:00Z'))).toEqual([]);
    expect(one.look({}, new Date('2026-10-01T00:00:00Z'))).toHaveLength(1);
  });

  it('tells of the end of an evaluation fourteen days and three before', () => {
    const one = new Watcher({ kind: 'evaluation', endsOn: '2026-06-30' });
    const days = ['2026-06-16', '2026-06-17', '2026-06-18', '2026-06-28', '2026-06-29', '2026-07-01'];
    const told = days.map((day) => one.look({}, new Date(`${day}T00:00:00Z`)).map(({ kind }) => kind));
    expect(told).toEqual([[], ['evaluation_ends'], [], ['evaluation_ends'], [], ['contract_ended']]);
    const late = new Watcher({ kind: 'evaluation', endsOn: '2026-05-02' });
    expect(late.look()).toHaveLength(1);
    expect(late.look()).toEqual([]);
  });

  it('tells of a cliff from 120 days before, when somebody would fall', () => {
    const line: ContractLine = {
      ...{ kind: 'amendment', effectiveOn: '2026-10-01', endsOn: null, setsSeats: true, paidSeats: 50 },
      ...{ tier: null, contractEndsOn: null },
    };
    const one = new Watcher({ lines: [line] });
    const usage = (held: number) => ({ usage: { held, overage: 0, onHold: 0, unmanagedPaid: 0 } });
    expect(one.look(usage(60), new Date('2026-06-02T23:59:59Z'))).toEqual([]);
    const near = new Date('2026-06-03T00:00:00Z');
    expect(one.look(usage(50), near)).toEqual([]);
    expect(one.look(usage(60), near)).toEqual([
      { kind: 'cliff', on: '2026-10-01', capacity: 50, people: 10 },
    ]);
    expect(one.look(usage(70), near)).toEqual([]);
    expect(one.look(usage(50), near)).toEqual([]);
    expect(one.look(usage(51), near)).toHaveLength(1);
  });

  it('is looked at again when the next day begins', () => {
    expect(nextLook(noon)).toEqual(new Date('2026-05-02T00:00:00Z'));
    expect(nextLook(new Date('2026-05-02T00:00:00Z'))).toEqual(new Date('2026-05-03T00:00:00Z'));
  });
});

it('does not ask for a signature where the next term begins before paid roles cease to count', () => {
  const trial = { kind: 'evaluation', endsOn: '2026-05-10', evaluationGraceDays: 5 } as const;
  const signedFor = (startsOn: string) => [contract({ startsOn, endsOn: '2027-04-30' })];
  const inTime = new Watcher({ ...trial, later: signedFor('2026-05-16') });
  expect(inTime.look()).toEqual([]);
  const late = new Watcher({ ...trial, later: signedFor('2026-05-17') });
  expect(late.look().map(({ kind }) => kind)).toEqual(['evaluation_ends']);
});

it('tells nothing again where what follows is signed ahead, and all again once that holds', () => {
  const one = new Watcher({ endsOn: '2026-12-31' });
  expect(one.use(80)).toEqual([80]);
  const signed = contract({ policy: 'queue', paidSeats: 100, endsOn: '2026-12-31' });
  const next = contract({ policy: 'queue', paidSeats: 100, startsOn: '2026-11-01', endsOn: '2027-10-31' });
  expect(one.look({ contract: { ...signed, later: [next] } })).toEqual([]);
  expect(one.look({}, new Date('2026-11-01T00:00:00Z')).map(({ kind }) => kind)).toEqual(['seats_used']);
});

it('tells of a lifted policy in the term in which it was lifted', () => {
  const next = contract({ policy: 'block', startsOn: '2026-05-02', endsOn: '2027-04-30' });
  const one = new Watcher({ policy: 'block', later: [next] });
  expect(one.look({ blockLiftedAt: noon })).toHaveLength(1);
  expect(one.look({}, new Date('2026-05-02T00:00:00Z'))).toEqual([]);
  expect(one.raised.marks).toEqual([]);
});

it('tells each time that the policy was lifted', () => {
  const one = new Watcher({ policy: 'block' });
  const lifted = { kind: 'block_lifted', at: noon.toISOString() };
  expect(one.look({ blockLiftedAt: noon })).toEqual([lifted]);
  expect(one.look()).toEqual([]);
  expect(one.look({ blockLiftedAt: null })).toEqual([]);
  expect(one.look({ blockLiftedAt: noon })).toEqual([lifted]);
});

it('tells once that people are held back by the breaker, and of the next change anew', () => {
  const one = new Watcher();
  const staged = { people: 30, since: noon.toISOString() };
  expect(one.look({ staged })).toEqual([{ kind: 'staged', ...staged }]);
  expect(one.look({ staged: { ...staged, people: 31 } })).toEqual([]);
  expect(one.look({ staged: null })).toEqual([]);
  expect(one.raised.marks).toEqual([]);
  expect(one.look({ staged })).toHaveLength(1);
});

it('tells once that claims wait for an approval, and of each edit that waits for a second person', () => {
  const one = new Watcher();
  const waitingClaims = { people: 1, since: noon.toISOString() };
  const edit = (id: string) => ({ id, call: 'PUT /contract', by: 'Ann', since: noon.toISOString() });
  expect(one.look({ waitingClaims, waitingEdits: [edit('a')] })).toEqual([
    { kind: 'approvals_wait', ...waitingClaims },
    { kind: 'edit_waits', ...edit('a') },
  ]);
  const more = { waitingClaims: { ...waitingClaims, people: 2 }, waitingEdits: [edit('a'), edit('b')] };
  expect(one.look(more)).toEqual([{ kind: 'edit_waits', ...edit('b') }]);
  expect(one.look({ waitingClaims: null, waitingEdits: [edit('b')] })).toEqual([]);
  expect(one.raised.marks).toEqual(['edit:b']);
  expect(one.look(more)).toMatchObject([{ kind: 'approvals_wait' }, { id: 'a' }]);
});
