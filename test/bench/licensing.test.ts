/**
 * The licensing bench run small, as people run it: every figure is there and everything exact. How fast it was is the
 * bench's own business.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import { rush } from '../../bench/clients.ts';
import { Figures, Skipped } from '../../bench/figure.ts';
import type { LicensingReport } from '../../bench/licensing/run.ts';
import { editedRank, mappedGroups, membersAt, sizeAt } from '../../bench/licensing/size.ts';
import { hasEmbeddedPostgres } from '../process/support.ts';
import { type BenchRun, bench, reportOf } from './support.ts';

describe.skipIf(!hasEmbeddedPostgres)('the licensing bench, small', () => {
  let run: BenchRun;
  let report: LicensingReport;

  beforeAll(() => {
    [run, report] = reportOf<LicensingReport>('licensing', '--scale', '0.002');
  }, 160_000);

  it('finds nothing that failed or came out wrong', () => {
    expect({ code: run.code, stderr: run.stderr, problems: report.problems }).toEqual({
      code: 0,
      stderr: '',
      problems: [],
    });
  });

  it('measures every figure', () => {
    const values = Object.fromEntries(report.figures.map(({ id, value }) => [id, value]));
    expect(values).toEqual({
      'floor.transaction': expect.any(Number),
      'floor.admission': expect.any(Number),
      'floor.write': expect.any(Number),
      generation: expect.any(Number),
      'evaluation.all': expect.any(Number),
      'evaluation.nothing': expect.any(Number),
      'evaluation.lock': expect.any(Number),
      'edit.mapping': expect.any(Number),
      'edit.preview': expect.any(Number),
      'one.median': expect.any(Number),
      'one.p95': expect.any(Number),
      'admission.store': expect.any(Number),
      'admission.http': expect.any(Number),
      'memory.peak': expect.any(Number),
    });
  });

  it('says a line for each figure', () => {
    for (const { name, verdict } of report.figures) {
      expect(run.stdout.split('\n').some((line) => line.startsWith(name) && line.includes(verdict))).toBe(
        true,
      );
    }
  });

  it('grants each last seat once', () => {
    const granted = ['admission.store', 'admission.http'].map((wanted) => {
      const details = report.figures.find(({ id }) => id === wanted)?.details;
      return [details?.people, details?.granted];
    });
    const { store, http } = sizeAt(0.002);
    expect(granted).toEqual([
      [store.people, store.seats],
      [http.people, http.seats],
    ]);
  });

  it('makes the world it says', () => {
    const { users, groups, mappings, store, http } = sizeAt(0.002);
    const members = Array.from({ length: groups }, (_, at) => membersAt(at + 1, users)).reduce(
      (a, b) => a + b,
    );
    expect(report.rows).toEqual({
      users: users + store.people + http.people,
      groups: groups + 2,
      memberships: members,
      mappings: mappings + 2,
    });
  });
});

describe('the arguments', () => {
  it.each([
    [['seats'], 'there is no bench "seats"'],
    [['licensing', 'sso'], 'there is no bench "licensing sso"'],
    [['--scale', '2'], '--scale must be'],
    [['--seed', 'x'], '--seed must be'],
    [['--json', 'no-such-folder/x.json'], 'ENOENT'],
  ])('%j are refused before anything starts', (args, problem) => {
    const { code, stderr, stdout } = bench(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(problem);
  });
});

describe('the world at full scale', () => {
  const size = sizeAt(1);

  it('has 500,000 people, about 4,000,000 memberships, and a group of exactly 30,000 that is mapped to a paid role', () => {
    expect(size).toMatchObject({ users: 500_000, groups: 50_000, mappings: 300, seats: 100_000 });
    const sizes = Array.from({ length: size.groups }, (_, at) => membersAt(at + 1, size.users));
    expect(sizes.reduce((a, b) => a + b) / 1e6).toBeCloseTo(3.9, 1);
    expect(sizes[0]).toBe(500_000);
    expect(membersAt(editedRank, size.users)).toBe(30_000);
    expect(mappedGroups(size).find(({ rank }) => rank === editedRank)?.role).toBe('team_member');
  });

  it.each([0.001, 0.002, 0.02, 1])(
    'maps different groups at different priorities, everybody last, at scale %d',
    (scale) => {
      const scaled = sizeAt(scale);
      const mapped = mappedGroups(scaled);
      expect(new Set(mapped.map(({ rank }) => rank)).size).toBe(scaled.mappings);
      expect(new Set(mapped.map(({ priority }) => priority)).size).toBe(scaled.mappings);
      expect(mapped[0]).toMatchObject({ rank: 1, priority: scaled.mappings, role: 'view_only' });
      expect(Math.max(...mapped.map(({ rank }) => rank))).toBeLessThanOrEqual(scaled.groups);
    },
  );
});

describe('a figure', () => {
  const question = { id: 'x', name: 'x', unit: 's', aim: { atMost: 1 } } as const;

  it.each([
    ['within its aim', { value: 1 }, 'ok', 0],
    ['beyond its aim', { value: 1.1 }, 'MISSED', 0],
    ['fast but wrong', { value: 0.1, wrong: ['held 2 instead of 1'] }, 'MISSED', 1],
    ['not to be had', new Skipped('not here'), 'skipped', 0],
  ])('%s', async (_name, found, verdict, problems) => {
    const figures = new Figures(() => {});
    await figures.measure(question, async () => found);
    expect(figures.all.map((figure) => figure.verdict)).toEqual([verdict]);
    expect(figures.problems).toHaveLength(problems);
  });

  it('that fails is missed, and the next is measured', async () => {
    const lines: string[] = [];
    const figures = new Figures((line) => lines.push(line));
    await figures.measure(question, () => Promise.reject(new Error('out of seats')));
    await figures.measure({ ...question, aim: { atLeast: 1 } }, async () => ({ value: 1 }));
    expect(figures.all.map(({ verdict }) => verdict)).toEqual(['MISSED', 'ok']);
    expect(lines[0]).toContain('out of seats');
  });
});

describe('a rush', () => {
  it('hands every item to one client, and begins nothing after its time', async () => {
    const seen: number[] = [];
    const items = [1, 2, 3, 4, 5, 6, 7];
    const all = await rush({ clients: 3, secondsMax: 5 }, items, async (item) => {
      seen.push(item);
      await new Promise((done) => setImmediate(done));
      if (item === 4) throw new Error('four');
    });
    expect(seen.toSorted()).toEqual(items);
    expect(all).toMatchObject({ done: 6, failed: 1, firstFailure: 'four' });
    const late = await rush({ clients: 3, secondsMax: -1 }, items, async () => {});
    expect(late.done).toBe(3);
  });
});
