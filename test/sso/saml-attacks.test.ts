/**
 * Attacks on a SAML service provider, over HTTP: each is refused, with the reason in the trace and one and the same page for the
 * person, and a good login works right after it. Whatever is signed is signed with the identity provider's own key unless the case
 * is about keys: the signature alone saves nobody.
 */

import { afterAll, beforeAll, describe, it } from 'vitest';
import { hostileClaims } from './hostile-claims.ts';
import { hostileDocuments } from './hostile-documents.ts';
import { post, startTarget, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target.gateway.close());

describe.each([
  ['a document', hostileDocuments],
  ['a claim', hostileClaims],
])('%s is refused:', (_kind, attacks) => {
  it.each(attacks)('%s', async (_name, reasons, forge) => {
    const begun = await target.begin();
    await target.expectRefused(await post(begun, forge(begun)), reasons);
  });
});
