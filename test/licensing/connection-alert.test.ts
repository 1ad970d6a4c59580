/** When certificates and metadata of connections are warned of. */

import { expect, it } from 'vitest';
import { type ConnectionFacts, watchConnection } from '../../src/licensing/connection-alert.ts';

const now = new Date('2026-06-01T12:00:00Z');
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000);
const quiet: ConnectionFacts = {
  ...{ id: 'c', name: 'x', identityProviderUntil: null, gatewayUntil: null },
  ...{ failingSince: null, error: null, pendingSince: null },
};
/** The worst of each list that is met. */
const met = (change: Partial<ConnectionFacts>) =>
  watchConnection({ ...quiet, ...change }, now).flatMap(
    (list) => list.filter(({ isMet }) => isMet).at(-1)?.mark ?? [],
  );

it.each([
  [31, []],
  [30, ['certificate:c:identity provider:30']],
  [7, ['certificate:c:identity provider:7']],
  [1, ['certificate:c:identity provider:1']],
  [-1, ['certificate:c:identity provider:0']],
])('of a certificate that ends in %s days', (days, marks) => {
  expect(met({ identityProviderUntil: inDays(days) })).toEqual(marks);
});

it('of ours too, and once there is another it is over', () => {
  expect(met({ gatewayUntil: inDays(3) })).toEqual(['certificate:c:gateway:7']);
  const renewed = watchConnection({ ...quiet, gatewayUntil: inDays(300) }, now).flat();
  expect(renewed.map(({ isOver }) => isOver)).toEqual([true, true, true, true]);
});

it('of metadata that fails for more than a day, and of each change that waits', () => {
  expect(met({ failingSince: inDays(-0.9), error: 'x' })).toEqual([]);
  expect(met({ failingSince: inDays(-1.1), error: 'x' })).toEqual(['metadata_failing:c']);
  expect(met({ pendingSince: '2026-06-01' })).toEqual(['metadata_changed:c:2026-06-01']);
});
