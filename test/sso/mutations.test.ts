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
import { verifiedAssertion } from '../../src/sso/saml-client.ts';
import {
  assertionOf,
  attribute,
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

let scene: Scene;
beforeAll(async () => {
  const keys = await newKeys();
  scene = {
    ...{ keys, strangers: keys, requestId: '_request' },
    ...{ acsUrl: 'http://127.0.0.1:1/acs', audience: 'http://127.0.0.1:1/metadata' },
  };
});

/** The subject of whom the response lets in; the reason when it lets nobody in. */
async function outcomeOf(
  xml: string,
  wantAssertionsSigned: boolean,
): Promise<{ subject: string } | { reason: string }> {
  const { acsUrl, audience, requestId, keys } = scene;
  const settings = {
    ...{ entityId: idpEntityId, ssoUrl: 'http://localhost/', certificates: [fromPem(keys.certificate)] },
    ...{
      wantAssertionsSigned,
      wantResponseSigned: !wantAssertionsSigned,
      signRequests: false,
      nameIdFormat: null,
      ...{ ssoPostUrl: null, logoutPostUrl: null, preferPost: false },
      ...{ logoutUrl: null, forceAuthn: false, authnContexts: [] },
      ...{ allowSha1: false, allowCbc: false, allowIdpInitiated: false },
    },
  };
  const addresses = { entityId: audience, acsUrl, loginUrl: '', logoutUrl: '' };
  try {
    const { xml: text, response } = readResponse(Buffer.from(xml).toString('base64'));
    const signed = await verifiedAssertion({ settings, addresses }, text);
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

describe.each([
  ['its assertion', true],
  ['all of it', false],
])('of a response with a signature over %s', (_what, wantAssertionsSigned) => {
  it('no mutation makes anybody else of it', { timeout: 120_000 }, async () => {
    const attributes = attribute('userName', 'ada@example.com') + attribute('groups', 'a', 'b');
    const good = wantAssertionsSigned
      ? wrap(scene, sign(assertionOf(scene, { attributes }), scene.keys))
      : signedResponse(scene);
    const genuine = await outcomeOf(good, wantAssertionsSigned);
    expect(genuine).toHaveProperty('subject');
    let [accepted, refused] = [0, 0];
    for (const [name, mutant] of mutantsOf(good)) {
      const outcome = await outcomeOf(mutant, wantAssertionsSigned);
      if ('reason' in outcome) refused += 1;
      else {
        accepted += 1;
        await verifyAgain(mutant, scene.keys.certificate);
        expect(outcome, name).toEqual(genuine);
      }
    }
    // Of those that change nothing that counts, some are let in: a test that refuses everything shows nothing.
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(300);
  });
});
