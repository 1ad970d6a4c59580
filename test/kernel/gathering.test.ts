/** Work that waits for other work of its kind is done together, and nobody hears of another's failure. */

import { describe, expect, it } from 'vitest';
import { Gathering } from '../../src/kernel/gathering.ts';

/** Work that ends when it is told to. */
function heldWork(most = 3, failsFor: readonly string[] = []) {
  const done: string[] = [];
  const ends: (() => void)[] = [];
  const gathering = new Gathering<string, string>(most, async (items) => {
    const name = items.join('+');
    done.push(name);
    await new Promise<void>((end) => ends.push(end));
    if (items.some((item) => failsFor.includes(item))) throw new Error(name);
    return name;
  });
  const endAll = async () => {
    for (let idle = 0; idle < 3; idle += 1) {
      const some = ends.splice(0);
      if (some.length > 0) idle = 0;
      for (const end of some) end();
      await new Promise((turn) => setImmediate(turn));
    }
  };
  return { gathering, done, endAll };
}

describe('gathered work', () => {
  it('is begun at once where nothing of its kind is under way, and else done together', async () => {
    const { gathering, done, endAll } = heldWork();
    const answers = Promise.all(['a', 'b', 'c', 'd', 'e'].map((item) => gathering.do('kind', item)));
    const other = gathering.do('other', 'x');
    expect(done).toEqual(['a', 'x']);
    await endAll();
    expect(await answers).toEqual(['a', 'b+c+d', 'b+c+d', 'b+c+d', 'e']);
    expect(await other).toBe('x');
    const later = gathering.do('kind', 'f');
    await endAll();
    expect(await later).toBe('f');
    expect(done).toEqual(['a', 'x', 'b+c+d', 'e', 'f']);
  });

  it('is done for each alone where it fails for several', async () => {
    const { gathering, done, endAll } = heldWork(3, ['b']);
    const answers = Promise.allSettled(['a', 'b', 'c'].map((item) => gathering.do('kind', item)));
    await endAll();
    expect(await answers).toEqual([
      { status: 'fulfilled', value: 'a' },
      { status: 'rejected', reason: new Error('b') },
      { status: 'fulfilled', value: 'c' },
    ]);
    expect(done).toEqual(['a', 'b+c', 'b', 'c']);
  });

  it('goes on after a failure', async () => {
    const { gathering, endAll } = heldWork(3, ['a']);
    const first = gathering.do('kind', 'a').catch(String);
    const second = gathering.do('kind', 'b');
    await endAll();
    expect(await first).toBe('Error: a');
    expect(await second).toBe('b');
  });
});
