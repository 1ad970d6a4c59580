/** Attributes of extension schemas whose names, values or visibility could be mistaken for something else. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { newClient, type ScimClient, userUrn } from './scim-support.ts';

let gateway: TestGateway;
let client: ScimClient;
const urn = 'urn:example:params:scim:schemas:badge:1.0:User';

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  client = await newClient(gateway);
});

const register = (attributes: object[]) =>
  made(
    gateway.api('POST', `/tenants/${client.tenant.slug}/schemas`, {
      ...{ urn, name: 'Badge', resourceType: 'User', attributes },
    }),
  );
const badge = (data: object) => ({ schemas: [userUrn, urn], [urn]: data });
const find = async (filter: string) => {
  const { status, body } = await client.send('GET', `/Users?filter=${encodeURIComponent(filter)}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.Resources.map(({ userName }: { userName: string }) => userName);
};

describe('an attribute of an extension', () => {
  const core = [
    {
      name: 'groups',
      type: 'complex',
      subAttributes: [{ name: 'value', type: 'string' }],
      multiValued: true,
    },
    {
      name: 'emails',
      type: 'complex',
      multiValued: true,
      subAttributes: [
        { name: 'value', type: 'string' },
        { name: 'type', type: 'string' },
      ],
    },
    { name: 'userName', type: 'string' },
    { name: 'active', type: 'boolean' },
  ];

  it('that is named like one of the core is another', async () => {
    await register(core);
    const ann = await client.user({
      userName: 'ann',
      emails: [{ value: 'ann@x.example', type: 'work' }],
      active: false,
    });
    const group = await client.group({ displayName: 'all', members: [{ value: ann.id }] });
    const data = {
      groups: [{ value: group.id }],
      emails: [{ value: 'ann@x.example', type: 'work' }],
      userName: 'ann',
      active: false,
    };
    await client.user({ userName: 'bob', ...badge(data) });
    for (const filter of [
      `${urn}:groups.value eq "${group.id}"`,
      `${urn}:groups[value eq "${group.id}"]`,
      `${urn}:groups.value sw "${group.id}"`,
      `${urn}:groups pr`,
      `${urn}:emails.value eq "ann@x.example"`,
      `${urn}:emails eq "ann@x.example"`,
      `${urn}:emails[type eq "work" and value eq "ann@x.example"]`,
      `${urn}:userName eq "ann"`,
      `${urn}:active eq false`,
    ]) {
      expect([filter, await find(filter)]).toEqual([filter, ['bob']]);
    }
    expect(await find(`groups.value eq "${group.id}"`)).toEqual(['ann']);
    expect(await find('emails.value eq "ann@x.example"')).toEqual(['ann']);
    expect(await find('userName eq "ann" and active eq false')).toEqual(['ann']);
  });

  it("that is a dateTime of a hundred digits stands in the way of nobody's search", async () => {
    await register([{ name: 'issued', type: 'dateTime' }]);
    const long = `2026-01-31T08:00:00.${'1'.repeat(200)}Z`;
    const refused = await client.send('POST', '/Users', {
      userName: 'bob',
      ...badge({ issued: long }),
    });
    expect([refused.status, refused.body.scimType]).toEqual([400, 'invalidValue']);
    const fine = `2026-01-31T08:00:00.${'1'.repeat(30)}Z`;
    await client.user({ userName: 'ann', ...badge({ issued: fine }) });
    expect(await find(`${urn}:issued gt "2026-01-31T08:00:00Z"`)).toEqual(['ann']);
    expect((await client.send('GET', `/Users?sortBy=${urn}:issued`)).status).toBe(200);
  });
});
