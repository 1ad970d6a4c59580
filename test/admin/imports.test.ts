/** Files of people over HTTP: looked at, carried out, told row by row, and refused. */

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, made, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Row, stageOf, told } from './import-stage.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const newStage = (paidSeats?: number, policy?: string) => stageOf(gateway, paidSeats, policy);

it('says what a file would do, does exactly that, and finds nothing left to do the second time', async () => {
  const stage = await newStage(2);
  await made(
    gateway.api('POST', `${stage.base}/mappings`, {
      ...{ group: { roleValue: 'Engineers' }, role: 'team_member', workspaces: ['*'], priority: 1 },
    }),
  );
  const file = [
    'userName,email,givenName,familyName,department,roles,role,workspaces,until',
    'ann@x.example,ann@mail.example,Ann,"Ames, Dr.",Design,,team_member,*,2099-01-01T00:00:00Z',
    'bob@x.example,,Bob,,,Staff|Engineers,,,',
    'cid@x.example,,Cid,,,,team_member,*,',
    'dee@x.example,,Dee,,,,view_only,*,',
  ].join('\r\n');
  const planned = await made(stage.send(file, '?dryRun=true'));
  expect(planned).toMatchObject({
    ...{ state: 'planned', dryRun: true, doneAt: null },
    rows: { total: 4, created: 4, updated: 0, unchanged: 0, refused: 0 },
    plan: { gained: 4, queued: 1, lost: 0, needed: 3, available: 2, seats: { before: 0, after: 2 } },
  });
  expect(await stage.user('ann'), 'a dry run makes nobody').toBeUndefined();
  const expected = [
    ['created', 'held'],
    ['created', 'queued'],
    ['created', 'held'],
    ['created', 'none'],
  ];
  expect(told(await stage.rows(planned.id))).toEqual(expected);

  const done = await stage.done(file);
  expect(done).toMatchObject({ state: 'done', rows: planned.rows, plan: planned.plan });
  const rows = await stage.rows(done.id);
  expect(told(rows)).toEqual(expected);
  expect(rows[1]?.seat).toMatchObject({ position: 1, reason: 'SEAT_QUEUED' });
  const ann = await stage.user('ann');
  expect(ann).toMatchObject({
    ...{ id: rows[0]?.userId, email: 'ann@mail.example', sources: [], seat: { state: 'held' } },
    requestedRoles: [{ role: 'team_member', workspace: '*', via: 'PIN' }],
  });
  expect(await made(gateway.api('GET', `${stage.base}/users/${ann.id}/pin`))).toMatchObject({
    ...{
      role: 'team_member',
      until: '2099-01-01T00:00:00.000Z',
      reserved: false,
      reason: `import ${done.id}`,
    },
  });
  const token = await stage.tenant.directoryToken('okta');
  const { body: scim } = await gateway.scim(token, 'GET', `/Users/${ann.id}`);
  expect(scim).toMatchObject({ name: { givenName: 'Ann', familyName: 'Ames, Dr.' } });
  expect(scim['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User']).toEqual({
    department: 'Design',
  });

  const again = await stage.done(file);
  expect(again.rows).toMatchObject({ created: 0, updated: 0, unchanged: 4 });
  expect(again.plan).toMatchObject({ gained: 0, changed: 0, lost: 0 });
  const { items } = await made(gateway.api('GET', `${stage.base}/audit?action=import.done`));
  expect(items.map(({ subject, after }: Answer['body']) => [subject, after])).toEqual([
    [again.id, { created: 0, updated: 0, unchanged: 4, refused: 0 }],
    [done.id, { created: 4, updated: 0, unchanged: 0, refused: 0 }],
  ]);
  const { items: imports } = await made(gateway.api('GET', `${stage.base}/imports`));
  expect(imports.map(({ id }: Answer['body']) => id)).toEqual([again.id, done.id, planned.id]);
});

it('changes who is there, leaves what has no value, and takes seats back', async () => {
  const stage = await newStage(1);
  await stage.done('userName,givenName,familyName,role\nann@x.example,Ann,Ames,team_member');
  await stage.done('userName,role\nbob@x.example,team_member');
  expect((await stage.user('bob')).seat.state).toBe('queued');
  const file = 'USERNAME;displayName;givenName;active\nANN@x.example;Ann A.;;false';
  const planned = await made(stage.send(file, '?dryRun=true'));
  expect(planned).toMatchObject({
    rows: { updated: 1 },
    plan: { gained: 1, lost: 1, seats: { before: 1, after: 1 } },
  });
  await stage.done(file);
  const [ann, bob] = [await stage.user('ann'), await stage.user('bob')];
  expect([ann.active, ann.displayName, ann.seat.state, bob.seat.state]).toEqual([
    false,
    'Ann A.',
    'none',
    'held',
  ]);
  const token = await stage.tenant.directoryToken('okta');
  const { body } = await gateway.scim(token, 'GET', `/Users/${ann.id}`);
  expect(body.name).toEqual({ givenName: 'Ann', familyName: 'Ames' });
});

it('leaves to the directory whom it provisions, but for the role', async () => {
  const stage = await newStage();
  const token = await stage.tenant.directoryToken('okta');
  const user = {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'ann@x.example',
    title: 'Lead',
  };
  await made(gateway.scim(token, 'POST', '/Users', user));
  const { id } = await stage.done('userName,title,role\nann@x.example,Boss,team_member');
  const [row] = await stage.rows(id);
  expect(row).toMatchObject({ outcome: 'refused', code: 'directory_owned', seat: { state: 'none' } });
  expect(row?.detail).toContain('title');
  const next = await stage.done('userName,title,role\nann@x.example,Lead,team_member');
  expect(told(await stage.rows(next.id))).toEqual([['updated', 'held']]);
});

it('says of a row about nobody that it is one', async () => {
  const stage = await newStage();
  const { id } = await stage.done('email,title\n,Lead');
  expect((await stage.rows(id))[0]?.detail).toBe(
    'The row is about nobody: it has no "userName", and no "email".',
  );
});

it('says of somebody new who asks for nothing what they have then', async () => {
  const stage = await newStage();
  const file = 'userName\na@x.example';
  const planned = await made(stage.send(file, '?dryRun=true'));
  const expected = [['created', 'none']];
  expect(told(await stage.rows(planned.id))).toEqual(expected);
  expect(told(await stage.rows((await stage.done(file)).id))).toEqual(expected);
});

it('takes the address of somebody whom a directory provisions without one: it is the userName', async () => {
  const stage = await newStage();
  const token = await stage.tenant.directoryToken('okta');
  const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'ann@x.example' };
  await made(gateway.scim(token, 'POST', '/Users', user));
  const { id } = await stage.done('email,role\nAnn@x.example,team_member');
  expect(told(await stage.rows(id))).toEqual([['updated', 'held']]);
  const other = await stage.done('userName,email\nann@x.example,ann@mail.example');
  expect(await stage.rows(other.id)).toMatchObject([{ outcome: 'refused', code: 'directory_owned' }]);
});

it('pins whom it deactivates also where the same pin, being reserved, lapses with that', async () => {
  const stage = await newStage();
  await stage.done('userName\nann@x.example');
  const { id } = await stage.user('ann');
  const pin = { role: 'team_member', workspaces: null, until: null, reserved: true, reason: 'x' };
  await made(gateway.api('PUT', `${stage.base}/users/${id}/pin`, pin));
  const file = 'userName,active,role\nann@x.example,false,team_member';
  await stage.done(file);
  const { body } = await gateway.api('GET', `${stage.base}/users/${id}/pin`);
  expect(body).toMatchObject({ role: 'team_member', reserved: false });
  expect((await stage.done(file)).rows).toMatchObject({ updated: 0, unchanged: 1 });
});

it('refuses rows alone, each with its line and why', async () => {
  const stage = await newStage();
  const file = [
    '\ufeffuserName\temail\tactive\trole\tworkspaces\tuntil',
    'ok@x.example\t\t\t\t\t',
    '',
    'OK@x.example\t\t\t\t\t',
    '\tno address\t\t\t\t',
    'a@x.example\t\tyes\t\t\t',
    'b@x.example\tno address\t\tboss\t\t',
    'c@x.example\t\t\t\tw1\t',
    'd@x.example\t\t\tteam_member\tw1|w1\t',
    'e@x.example\t\t\tteam_member\t\tsoon',
    'f@x.example\t\t\tteam_member\t\t2001-01-01T00:00:00Z',
    'g@x.example\t\t',
    `${'h'.repeat(501)}\t\t\t\t\t`,
    '=1+1\t\t\t\t\t',
  ].join('\n');
  const done = await stage.done(file);
  expect(done.rows).toEqual({ total: 12, created: 2, updated: 0, unchanged: 0, refused: 10 });
  const rows = await stage.rows(done.id, '&outcome=refused');
  expect(rows.map(({ line, code }) => [line, code])).toEqual([
    [4, 'repeated'],
    ...[5, 6, 7, 8, 9, 10].map((line) => [line, 'unreadable']),
    [11, 'invalid'],
    [12, 'unreadable'],
    [13, 'unreadable'],
  ]);
  expect(rows[0]?.detail).toBe('Line 2 is about this person.');
  expect(rows[3]?.detail).toBe(
    '"email" "no address" is no address. "role" "boss" is no role of Blue: there are project_administrator, team_member, custom:<its name>, client, comment_only, view_only.',
  );
  const result = await fetch(`${gateway.url}/api/v1${stage.base}/imports/${done.id}/result`, {
    headers: { authorization: `Bearer ${stage.key}` },
  });
  expect(result.headers.get('content-type')).toContain('text/csv');
  const lines = (await result.text()).split('\r\n');
  expect(lines[0]).toBe('userName,email,active,role,workspaces,until,outcome,detail,seat,position,reason');
  expect(lines[1]).toBe('ok@x.example,,,,,,created,,none,,');
  expect(lines[12], 'no formula').toMatch(/^'=1\+1,/);
  expect(lines).toHaveLength(14);
});

describe('a file as a whole', () => {
  it.each([
    ['', 'empty'],
    ['userName,boss\na,b', 'The column "boss" means nothing here'],
    ['userName,username\na,b', 'there twice'],
    ['title\na', 'must say who'],
    ['userName,until\na,', 'without a column "role"'],
    ['userName\n"a', 'no CSV file'],
    [new Uint8Array([...'userName\nJos\xe9'].map((one) => one.charCodeAt(0))), 'not in UTF-8'],
    ['userName\na\0b', 'can not be kept'],
    [`userName\n${'a\n'.repeat(10_001)}`, '10000 rows, which are taken'],
  ])('is refused: %j', async (file, why) => {
    const stage = await newStage();
    const answer = await stage.send(file);
    expect([answer.status >= 400 && answer.status < 500, answer.body.detail]).toEqual([
      true,
      expect.stringContaining(why),
    ]);
    expect((await made(gateway.api('GET', `${stage.base}/imports`))).items).toEqual([]);
  });

  it('is none of another media type, and of nobody else', async () => {
    const stage = await newStage();
    // As curl sends a file that nobody told it the type of, and a file as a text in JSON.
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/json']) {
      const { status, body } = await stage.send('"userName"', '?dryRun=true', type);
      expect([type, status, body.detail]).toEqual([type, 415, expect.stringContaining('text/csv')]);
    }
    expect((await stage.send('', '?dryRun=true', 'application/json')).status).toBe(415);
    expect((await gateway.api('POST', `${stage.base}/mappings`, undefined)).status).toBe(400);
    const { id } = await stage.done('userName\na@x.example');
    const other = await newStage();
    for (const rest of ['', '/rows', '/result']) {
      expect((await gateway.api('GET', `${other.base}/imports/${id}${rest}`)).status).toBe(404);
    }
    const { key } = await made(gateway.api('POST', `${stage.base}/keys`, { name: 'a', role: 'auditor' }));
    stage.key = key;
    expect((await stage.send('userName\nb@x.example', '?dryRun=true')).status).toBe(403);
  });
});

it('succeeds under policy block: who finds no seat has the fallback role, and is next', async () => {
  const stage = await newStage(1, 'block');
  const { id } = await stage.done('userName,role\na@x.example,team_member\nb@x.example,team_member');
  expect(
    told(await stage.rows(id))
      .map(([, seat]) => seat)
      .sort(),
  ).toEqual(['blocked', 'held']);
  await stage.contract(2, 'block');
  expect(told(await stage.rows(id)).map(([, seat]) => seat)).toEqual(['held', 'held']);
});

it('gives seats by rank and not by line, in a file of many parts', async () => {
  const stage = await newStage(5);
  for (const [priority, value] of [
    ['1', 'first'],
    ['2', 'second'],
  ] as const) {
    await made(
      gateway.api('POST', `${stage.base}/mappings`, {
        ...{
          group: { roleValue: value },
          role: 'team_member',
          workspaces: ['*'],
          priority: Number(priority),
        },
      }),
    );
  }
  const names = Array.from({ length: 720 }, (_, n) => `p${n}@x.example,${n < 715 ? 'second' : 'first'}`);
  const file = `userName,roles\n${names.join('\n')}`;
  const planned = await made(stage.send(file, '?dryRun=true'));
  expect(planned.plan).toMatchObject({ gained: 720, queued: 715, needed: 720, available: 5 });
  const done = await stage.done(file);
  expect(done.rows).toMatchObject({ total: 720, created: 720 });
  const { items } = await made(gateway.api('GET', `${stage.base}/users?seat=held`));
  expect(items.map(({ userName }: Answer['body']) => userName).sort()).toEqual(
    names.slice(715).map((row) => row.split(',')[0]),
  );
  const predicted = (
    await made(
      gateway.api('GET', `${stage.base}/imports/${planned.id}/rows?limit=200&cursor=${cursorOf(600)}`),
    )
  ).items;
  expect(predicted.filter(({ seat }: Row) => seat?.state === 'held').map(({ line }: Row) => line)).toEqual([
    717, 718, 719, 720, 721,
  ]);
  expect(await made(gateway.api('GET', `${stage.base}/seats/verify`))).toMatchObject({ ok: true });
});

const cursorOf = (line: number) => Buffer.from(String(line)).toString('base64url');

describe('edits that many must know of', () => {
  it('asks before many lose their seats', async () => {
    const stage = await newStage(40);
    const rows = (active: boolean) =>
      Array.from({ length: 25 }, (_, n) => `p${n}@x.example,team_member,${active}`);
    const file = (active: boolean) => `userName,role,active\n${rows(active).join('\n')}`;
    await stage.done(file(true));
    expect((await stage.send(file(false), '?dryRun=true')).body.plan.lost).toBe(25);
    expect((await stage.send(file(false))).body).toMatchObject({ code: 'above_breaker', field: 'confirm' });
    await stage.done(file(false), '?confirm=true');
    expect((await made(gateway.api('GET', `${stage.base}/seats`))).held).toBe(0);
  });

  it('waits for a second person where it gives paid roles by hand', async () => {
    const stage = await newStage();
    const second = await made(gateway.api('POST', `${stage.base}/keys`, { name: 'b', role: 'owner' }));
    const settings = await made(gateway.api('GET', `${stage.base}/settings`));
    await made(gateway.api('PUT', `${stage.base}/settings`, { ...settings, twoPersonRule: true }));
    const file = 'userName,role\na@x.example,team_member';
    expect((await stage.send('userName,role\nb@x.example,view_only')).status).toBe(201);
    expect((await stage.send(file, '?dryRun=true')).status).toBe(201);
    const { status, body: request } = await stage.send(file);
    expect([status, request.state, request.because, request.body]).toEqual([202, 'pending', ['pin'], file]);
    expect(await stage.user('a@')).toBeUndefined();
    await made(
      gateway.api('POST', `${stage.base}/edit-requests/${request.id}/approve`, undefined, second.key),
    );
    expect((await stage.user('a@')).seat.state).toBe('held');
    const [last] = (await made(gateway.api('GET', `${stage.base}/imports`))).items;
    expect(last.by).toContain('approved by b');

    const large = `userName,role,title\n${Array.from({ length: 500 }, (_, at) => `u${at},team_member,${'x'.repeat(400)}`).join('\n')}`;
    const { id } = (await stage.send(large)).body;
    const [listed] = (await made(gateway.api('GET', `${stage.base}/edit-requests`))).items;
    expect([listed.id, listed.body], 'many of them stay small').toEqual([id, large.slice(0, 1000)]);
    const whole = await made(gateway.api('GET', `${stage.base}/edit-requests/${id}`));
    expect(whole.body === large).toBe(true);
    const [told] = (await made(gateway.api('GET', `${stage.base}/audit?action=edit.requested`))).items;
    const sha256 = createHash('sha256').update(large).digest('hex');
    expect(told).toMatchObject({ subject: id, after: { body: { characters: large.length, sha256 } } });
  });

  it('is over where a pin that it would replace was set since it was asked for', async () => {
    const stage = await newStage();
    await stage.done('userName\nann@x.example\nbob@x.example');
    const second = await made(gateway.api('POST', `${stage.base}/keys`, { name: 'b', role: 'owner' }));
    const settings = await made(gateway.api('GET', `${stage.base}/settings`));
    await made(gateway.api('PUT', `${stage.base}/settings`, { ...settings, twoPersonRule: true }));
    const asked = await Promise.all(
      ['ANN', 'BOB'].map((name) => stage.send(`userName,role\n${name}@x.example,team_member`)),
    );
    const { id } = await stage.user('bob');
    await made(
      gateway.api('PUT', `${stage.base}/users/${id}/pin`, { role: 'client', reason: 'x' }, second.key),
    );
    const approve = ({ body }: Answer) =>
      gateway.api('POST', `${stage.base}/edit-requests/${body.id}/approve`, undefined, second.key);
    const [ann, bob] = await Promise.all(asked.map(approve));
    expect([ann?.status, bob?.status]).toEqual([200, 409]);
    expect(bob?.body.detail).toContain('A pin that the file gives anew changed');
  });
});

it('takes the blanks of every alphabet for nothing, and writes no formula behind them', async () => {
  const stage = await newStage();
  const names = [' ', '\u00a0', '\u3000', '\t', '\ufeff'].map((blank) => `"${blank}"`);
  const file = [
    'userName,title',
    ...names.map((name) => `${name},`),
    '" a@x.example\u00a0","\n=1+1"',
    'b, "＝1"',
  ];
  const { id, rows } = await stage.done(file.join('\n'));
  expect(rows).toMatchObject({ created: 2, refused: names.length });
  expect((await stage.user('a@')).userName).toBe('a@x.example');
  const { body } = await gateway.api('GET', `${stage.base}/imports/${id}/result`);
  expect(body).toContain(`"'\n=1+1"`);
});
