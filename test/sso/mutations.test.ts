/**
 * Every single-node mutation of a good response (each element deleted, doubled, moved, renamed, put into another namespace, wrapped;
 * each attribute deleted and changed; each text changed): whatever is accepted yields the identical subject.
 */

import { DOMParser, XMLSerializer } from '@xmldom/xmldom';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromPem } from '../../src/kernel/self-signed-certificate.ts';
import { identityOf } from '../../src/sso/core/identity.ts';
import { Refusal } from '../../src/sso/core/refusal.ts';
import { readResponse, readStrictly } from '../../src/sso/core/saml-gate.ts';
import { checkAssertion } from '../../src/sso/core/saml-policy.ts';
import { verified } from '../../src/sso/saml-client.ts';
import { signedAssertion } from '../../src/sso/signed-assertion-flow.ts';
import {
  assertionOf,
  attribute,
  encrypted,
  idpEntityId,
  newKeys,
  type Scene,
  sign,
  signedResponse,
  wrap,
} from './forge.ts';
import { verifyAgain } from './witness.ts';

/** What is used of the DOM here. */
interface Element {
  nodeName: string;
  localName: string;
  prefix: string | null;
  namespaceURI: string | null;
  textContent: string | null;
  parentNode: Element | null;
  firstChild: Element | null;
  childNodes: ArrayLike<Element>;
  attributes: ArrayLike<{ name: string; value: string }>;
  ownerDocument: { createElementNS(namespace: string | null, name: string): Element };
  cloneNode(deep: boolean): Element;
  insertBefore(child: Element, before: Element | null): void;
  appendChild(child: Element): void;
  removeChild(child: Element): void;
  replaceChild(child: Element, old: Element): void;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
}

interface Wanted {
  wantAssertionsSigned: boolean;
  wantResponseSigned: boolean;
}

let scene: Scene;
/** Ours, to decrypt with. */
let readers: Scene['keys'];
beforeAll(async () => {
  const keys = await newKeys();
  readers = await newKeys();
  scene = {
    ...{ keys, strangers: keys, requestId: '_request' },
    ...{ acsUrl: 'http://127.0.0.1:1/acs', audience: 'http://127.0.0.1:1/metadata' },
  };
});

/** The subject of whom the response lets in; the reason when it lets nobody in. */
async function outcomeOf(
  xml: string,
  { wantAssertionsSigned, wantResponseSigned }: Wanted,
): Promise<{ subject: string } | { reason: string }> {
  const { acsUrl, audience, requestId, keys } = scene;
  const settings = {
    ...{ entityId: idpEntityId, ssoUrl: 'http://localhost/', certificates: [fromPem(keys.certificate)] },
    ...{
      wantAssertionsSigned,
      wantResponseSigned,
      signRequests: false,
      nameIdFormat: null,
      ...{ ssoPostUrl: null, logoutPostUrl: null, preferPost: false },
      ...{ logoutUrl: null, forceAuthn: false, authnContexts: [] },
      ...{ allowSha1: false, allowCbc: false, allowIdpInitiated: false },
    },
  };
  const addresses = { entityId: audience, acsUrl, loginUrl: '', logoutUrl: '' };
  try {
    const gated = readResponse(Buffer.from(xml).toString('base64'));
    const { response } = gated;
    const means = { verify: verified, privateKeys: async () => [readers.privateKey] };
    const signed = await signedAssertion(gated, { settings, addresses }, means);
    const expected = { entityId: idpEntityId, audience, acsUrl, requestId, now: new Date() };
    const assertion = checkAssertion(response, readStrictly(signed.xml), expected);
    const { subject, userName } = identityOf(
      assertion,
      { userName: 'userName' },
      { idp: idpEntityId, sp: audience },
    );
    return { subject: `${subject} ${userName}` };
  } catch (error) {
    if (error instanceof Refusal) return { reason: error.reason };
    throw error;
  }
}

type Mutation = [name: string, change: (element: Element) => void];
const copyOf = (element: Element) => element.cloneNode(true);
const mutations: Mutation[] = [
  ['delete', (element) => element.parentNode?.removeChild(element)],
  ['double', (element) => element.parentNode?.insertBefore(copyOf(element), element)],
  ['move to the end', (element) => element.parentNode?.appendChild(element)],
  [
    'move to the front',
    (element) => {
      const { parentNode } = element;
      if (parentNode?.firstChild !== element) parentNode?.insertBefore(element, parentNode.firstChild);
    },
  ],
  [
    'move up',
    (element) => {
      const above = element.parentNode?.parentNode;
      if (above?.parentNode) above.appendChild(element);
    },
  ],
  ['another namespace', (element) => replace(element, 'urn:foreign', `f:${element.localName}`)],
  [
    'another name',
    (element) => replace(element, element.namespaceURI, `${element.prefix ? `${element.prefix}:` : ''}Other`),
  ],
  [
    'wrap',
    (element) => {
      const wrapper = element.ownerDocument.createElementNS(element.namespaceURI, element.nodeName);
      element.parentNode?.replaceChild(wrapper, element);
      wrapper.appendChild(element);
    },
  ],
  [
    'empty',
    (element) => {
      element.textContent = '';
    },
  ],
  [
    'other text',
    (element) => {
      if (element.childNodes.length === 1) element.textContent = 'evil';
    },
  ],
  [
    'evil beside it',
    (element) => {
      const evil = copyOf(element);
      if (evil.childNodes.length === 1) evil.textContent = 'evil';
      element.parentNode?.appendChild(evil);
    },
  ],
];

function replace(element: Element, namespace: string | null, name: string): void {
  const other = element.ownerDocument.createElementNS(namespace, name);
  while (element.firstChild !== null) other.appendChild(element.firstChild);
  for (const { name: key, value } of Array.from(element.attributes)) other.setAttribute(key, value);
  element.parentNode?.replaceChild(other, element);
}

function* mutantsOf(xml: string): Generator<[name: string, xml: string]> {
  const parse = () => new DOMParser().parseFromString(xml, 'text/xml');
  const elementsOf = (document: ReturnType<typeof parse>) =>
    document.getElementsByTagName('*') as unknown as ArrayLike<Element>;
  const count = elementsOf(parse()).length;
  for (let n = 0; n < count; n += 1) {
    const attributes = Array.from(elementsOf(parse())[n]?.attributes ?? []);
    const ofAttributes = attributes.flatMap(({ name }): Mutation[] => [
      [`without ${name}`, (element) => element.removeAttribute(name)],
      [`another ${name}`, (element) => element.setAttribute(name, `${element.getAttribute(name)}x`)],
    ]);
    for (const [name, change] of [...mutations, ...ofAttributes]) {
      const document = parse();
      const element = elementsOf(document)[n];
      if (element === undefined || (n === 0 && /move|double|delete|wrap|evil beside/.test(name))) continue;
      change(element);
      yield [`${name}: ${element.nodeName}`, new XMLSerializer().serializeToString(document)];
    }
  }
}

const assertionAlone: Wanted = { wantAssertionsSigned: true, wantResponseSigned: false };
const responseAlone: Wanted = { wantAssertionsSigned: false, wantResponseSigned: true };
const attributes = attribute('userName', 'ada@example.com') + attribute('groups', 'a', 'b');
const signedAlone = () => sign(assertionOf(scene, { attributes }), scene.keys);
const encryptedWith = async (content: string) =>
  wrap(scene, await encrypted(content, { certificate: readers.certificate }));

describe.each<[string, Wanted, () => string | Promise<string>, least: number]>([
  ['a signature over its assertion', assertionAlone, () => wrap(scene, signedAlone()), 300],
  ['a signature over all of it', responseAlone, () => signedResponse(scene), 300],
  ['an encrypted assertion that is signed', assertionAlone, () => encryptedWith(signedAlone()), 100],
  [
    'a signature over all of it, an encrypted assertion too',
    responseAlone,
    async () =>
      sign(await encryptedWith(assertionOf(scene, { attributes })), scene.keys, { name: 'Response' }),
    300,
  ],
])('of a response with %s', (_what, wanted, write, least) => {
  it('no mutation makes anybody else of it', { timeout: 120_000 }, async () => {
    const good = await write();
    const genuine = await outcomeOf(good, wanted);
    expect(genuine).toHaveProperty('subject');
    let [accepted, refused] = [0, 0];
    for (const [name, mutant] of mutantsOf(good)) {
      const outcome = await outcomeOf(mutant, wanted);
      if ('reason' in outcome) refused += 1;
      else {
        accepted += 1;
        // The witness reads no assertion that is encrypted.
        if (mutant.includes(':Signature')) await verifyAgain(mutant, scene.keys.certificate);
        expect(outcome, name).toEqual(genuine);
      }
    }
    // Of those that change nothing that counts, some are let in: a test that refuses everything shows nothing.
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(least);
  });
});
