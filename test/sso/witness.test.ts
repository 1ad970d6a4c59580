/** The witness itself: whatever the tests beside it see accepted, it has verified again. */

import { describe, expect, it } from 'vitest';
import { goodResponse, newKeys, type Scene } from './forge.ts';
import { hasWitness, verifyAgain } from './witness.ts';

describe.skipIf(!hasWitness)('accepted responses are verified again (needs xmlsec1)', () => {
  it('by one that knows a good signature from a bad one, and a key from another', async () => {
    const [keys, strangers] = await Promise.all([newKeys(), newKeys()]);
    const scene: Scene = { keys, strangers, acsUrl: 'http://a', audience: 'http://b', requestId: '_r' };
    const good = goodResponse(scene);
    await verifyAgain(good, keys.certificate);
    await expect(verifyAgain(good.replaceAll('>ada<', '>eve<'), keys.certificate)).rejects.toThrow();
    await expect(verifyAgain(good, strangers.certificate)).rejects.toThrow();
  });
});
