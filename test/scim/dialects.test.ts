/**
 * What a kind of directory tolerates beside RFC 7644: each named leniency is read by those who have it and refused by
 * `strict`, and each directory is told by discovery what is true for it.
 */

import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Leniency, leniencies } from '../../src/scim/core/leniency.ts';
import { toleratedBy } from '../../src/scim/dialect.ts';
import { type Answer, startGateway, type TestGateway } from '../support/gateway.ts';
import { enterpriseUrn, groupUrn, newClient, type ScimClient, userUrn } from './scim-support.ts';

const kinds = ['entra', 'okta', 'generic', 'strict'] as const;
let gateway: TestGateway;
const clients = new Map<string, ScimClient>();

beforeAll(async () => {
  gateway = await startGateway();
  for (const kind of kinds) clients.set(kind, await newClient(gateway, kind));
});
afterAll(() => gateway.close());

function of(kind: string): ScimClient {
  const client = clients.get(kind);
  if (client === undefined) throw new Error(kind);
  return client;
}

let people = 0;
async function person(client: ScimClient, attributes: object = {}): Promise<string> {
  people += 1;
  return (await client.user({ userName: `person-${people}@example.com`, ...attributes })).id;
}

type Step = (client: ScimClient) => Promise<Answer>;

const patchUser =
  (operation: object, attributes: object = {}): Step =>
  async (client) =>
    client.patch(`/Users/${await person(client, attributes)}`, operation);

/** For each leniency what is sent, and what who does not have it hears. */
const examples: Record<Leniency, { send: Step; otherwise: [number, string] }> = {
  opsInAnyCase: {
    send: patchUser({ op: 'Replace', path: 'title', value: 'x' }),
    otherwise: [400, 'invalidSyntax'],
  },
  scalarsAsText: {
    send: patchUser({ op: 'replace', path: 'active', value: 'False' }),
    otherwise: [400, 'invalidValue'],
  },
  namesAsPaths: {
    send: patchUser({ op: 'replace', value: { 'name.givenName': 'Ann' } }),
    otherwise: [400, 'invalidPath'],
  },
  bareComplexValues: {
    send: patchUser({ op: 'add', path: `${enterpriseUrn}:manager`, value: 'some-id' }),
    otherwise: [400, 'invalidValue'],
  },
  createdByReplace: {
    send: patchUser({ op: 'replace', path: 'phoneNumbers[type eq "mobile"].value', value: '1' }),
    otherwise: [400, 'noTarget'],
  },
  removalsByValue: {
    send: patchUser({ op: 'remove', path: 'roles', value: [{ value: 'a' }] }, { roles: [{ value: 'a' }] }),
    otherwise: [400, 'invalidValue'],
  },
  readOnlyInValues: {
    send: patchUser({ op: 'replace', value: { id: 'x', title: 'y' } }),
    otherwise: [400, 'mutability'],
  },
  unknownNames: {
    send: (client) =>
      client.send('POST', '/Users', { schemas: [userUrn], userName: `u-${Math.random()}`, shoe: 1 }),
    otherwise: [400, 'invalidSyntax'],
  },
  olderNames: {
    send: (client) =>
      client.send('POST', '/Users', {
        schemas: ['urn:scim:schemas:core:1.0'],
        userName: `o-${Math.random()}`,
      }),
    otherwise: [400, 'invalidSyntax'],
  },
  shortExtensionNames: {
    send: (client) => client.send('GET', '/Users?filter=manager eq "x"'),
    otherwise: [400, 'invalidFilter'],
  },
  bareFilterValues: {
    send: (client) => client.send('GET', '/Users?filter=userName eq x@example.com'),
    otherwise: [400, 'invalidFilter'],
  },
  subAttributesOfElements: {
    send: (client) => client.send('GET', '/Users?filter=emails[type eq "work"].value eq "x@example.com"'),
    otherwise: [400, 'invalidFilter'],
  },
};

describe.each(Object.keys(leniencies) as Leniency[])('%s', (leniency) => {
  const { send, otherwise } = examples[leniency];

  it.each(kinds)('for %s', async (kind) => {
    const { status, body } = await send(of(kind));
    if (toleratedBy[kind].has(leniency)) expect(status, JSON.stringify(body)).toBeLessThan(300);
    else expect([status, body.scimType], JSON.stringify(body)).toEqual(otherwise);
  });

  it('is shown by a conversation and told to admins', () => {
    const { fixture } = leniencies[leniency];
    const folders = ['entra', 'okta', 'onelogin', 'authentik', 'jumpcloud', 'generic'];
    const found = folders.some((folder) =>
      existsSync(new URL(`../idp/${folder}/${fixture}.json`, import.meta.url)),
    );
    expect(found, fixture).toBe(true);
    const guide = readFileSync(new URL('../../docs/identity-providers.md', import.meta.url), 'utf8');
    expect(guide).toContain(`\`${leniency}\``);
  });
});

describe('strict', () => {
  it('reads what the RFC writes', async () => {
    const client = of('strict');
    const id = await person(client, {
      emails: [{ value: 'a@x.org', type: 'work' }],
      [enterpriseUrn]: { manager: { value: 'm' } },
      groups: [{ value: 'ignored' }],
    });
    const answer = await client.patch(
      `/Users/${id}`,
      { op: 'add', path: 'emails', value: [{ value: 'b@x.org', type: 'home' }] },
      { op: 'replace', path: 'emails[type eq "work"].value', value: 'c@x.org' },
      { op: 'add', path: 'phoneNumbers[type eq "fax"].value', value: '1' },
      { op: 'replace', value: { name: { givenName: 'Ann' }, [enterpriseUrn]: { department: 'Sales' } } },
      { op: 'replace', path: 'active', value: false },
      { op: 'remove', path: 'emails[value eq "b@x.org"]' },
    );
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(answer.body).toMatchObject({
      active: false,
      emails: [{ value: 'c@x.org', type: 'work' }],
      name: { givenName: 'Ann' },
      [enterpriseUrn]: { department: 'Sales' },
    });
    for (const filter of [
      'emails[type eq "work" and value eq "c@x.org"]',
      'active eq false',
      'title pr or not (title pr)',
    ]) {
      expect((await client.send('GET', `/Users?filter=${encodeURIComponent(filter)}`)).status).toBe(200);
    }
  });

  it('tells of every unknown name in a PATCH, and of a password', async () => {
    const client = of('strict');
    const id = await person(client);
    const path = await client.patch(`/Users/${id}`, { op: 'add', path: 'shoe', value: 1 });
    expect([path.status, path.body.scimType]).toEqual([400, 'invalidPath']);
    const secret = await client.patch(`/Users/${id}`, { op: 'replace', value: { password: 'pa55word' } });
    expect(secret.status).toBe(400);
    expect(secret.body.detail).not.toContain('pa55word');
  });

  it("asks for all of a group's members in the RFC's way", async () => {
    const client = of('strict');
    const member = await person(client);
    const { id } = await client.group({ displayName: 'Strict', members: [{ value: member }] });
    const refused = await client.patch(`/Groups/${id}`, {
      op: 'remove',
      path: 'members',
      value: [{ value: member }],
    });
    expect([refused.status, refused.body.scimType]).toEqual([400, 'invalidValue']);
    expect((await client.send('GET', `/Groups/${id}`)).body.members).toHaveLength(1);
    expect((await client.patch(`/Groups/${id}`, { op: 'remove', path: 'members' })).status).toBe(204);
  });
});

describe('discovery', () => {
  const subAttributesOf = async (kind: string, name: string) => {
    const { body } = await of(kind).send('GET', `/Schemas/${userUrn}`);
    const attribute = body.attributes.find((one: { name: string }) => one.name === name);
    return attribute?.subAttributes?.map((one: { name: string }) => one.name);
  };
  const attributesOf = async (kind: string, urn: string) =>
    (await of(kind).send('GET', `/Schemas/${urn}`)).body.attributes.map((one: { name: string }) => one.name);

  it('leaves out for Entra what only labels a value, and nobody else', async () => {
    expect(await subAttributesOf('entra', 'emails')).toEqual(['value', 'type']);
    expect(await subAttributesOf('entra', 'roles')).toContain('primary');
    for (const kind of ['okta', 'generic', 'strict']) {
      expect(await subAttributesOf(kind, 'emails')).toEqual(['value', 'display', 'type', 'primary']);
    }
  });

  it('tells of externalId where clients look for it; RFC 7643 §3.1 does not', async () => {
    for (const urn of [userUrn, groupUrn]) {
      expect(await attributesOf('entra', urn)).toContain('externalId');
      expect(await attributesOf('strict', urn)).not.toContain('externalId');
    }
    expect(await attributesOf('entra', enterpriseUrn)).not.toContain('externalId');
  });

  it('names both ways to authenticate, and answers under both names (errata 4978)', async () => {
    for (const path of ['/ServiceProviderConfig', '/ServiceProviderConfigs']) {
      const { status, body } = await of('okta').send('GET', path);
      expect(status).toBe(200);
      expect(body.authenticationSchemes.map(({ type }: { type: string }) => type)).toEqual([
        'oauthbearertoken',
        'oauth2',
      ]);
    }
  });
});
