/**
 * Plays every conversation of this folder against a running gateway. Each one gets a tenant of its own, so that
 * counts are exact and no file leans on another; the file or its folder tells the kind of directory.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Conversation,
  playConversation,
  readConversation,
  type StepResult,
} from '../../demo/conversation.ts';
import { startGateway } from '../support/gateway.ts';

const here = new URL('./', import.meta.url);
const folders = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const filesOf = (folder: string) =>
  readdirSync(new URL(`${folder}/`, here)).filter((file) => file.endsWith('.json'));

/** OneLogin, JumpCloud, Ping, authentik and the rest come as `generic`: no leniency of their own. */
const kindOf = (folder: string, { kind }: Conversation) =>
  kind ?? (folder === 'entra' || folder === 'okta' ? folder : 'generic');

describe('conversations of identity providers', () => {
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  describe.each(folders)('%s', (folder) => {
    it.each(filesOf(folder))('%s', async (file) => {
      const conversation = await readConversation(new URL(`${folder}/${file}`, here));
      const tenant = await gateway.createTenant();
      const results = await playConversation(conversation, {
        baseUrl: `${gateway.url}/scim/v2`,
        token: await tenant.directoryToken(kindOf(folder, conversation)),
      });
      expect(results.flatMap(sentences), conversation.title).toEqual([]);
    });
  });
});

describe('the fixtures themselves', () => {
  const files = folders.flatMap((folder) => filesOf(folder).map((file) => `${folder}/${file}`));

  it('name one case each, once', () => {
    const names = files.map((file) => basename(file));
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(100);
  });

  it.each(files)('%s tells its case, source, grade and why', async (file) => {
    const conversation = await readConversation(new URL(file, here));
    expect(conversation.case).toBe(basename(file, '.json'));
    expect(conversation.title).toMatch(/\w/);
    expect(conversation.source).toMatch(/\w/);
    expect(conversation.grade).toMatch(/^[DTWSI]$/);
    expect(conversation.why).toMatch(/^[^\n]+$/);
    expect(conversation.steps.length).toBeGreaterThan(0);
  });
});

interface Case {
  case: string;
  grade: string;
  /** Why there is no conversation. */
  leftOut?: string;
}

describe('cases.json, the list of what is known of clients', () => {
  const cases: Case[] = JSON.parse(readFileSync(new URL('cases.json', here), 'utf8'));
  const fixtures = new Map(
    folders.flatMap((folder) =>
      filesOf(folder).map((file) => [basename(file, '.json'), `${folder}/${file}`]),
    ),
  );

  it('names each case once, and every conversation', () => {
    const ids = cases.map((one) => one.case);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...fixtures.keys()].filter((id) => !ids.includes(id))).toEqual([]);
  });

  it.each(cases)('$case has a conversation of its grade, or a reason for being left out', async (one) => {
    const file = fixtures.get(one.case);
    if (file === undefined) expect(one.leftOut).toMatch(/\w/);
    else {
      expect(one.leftOut).toBeUndefined();
      expect((await readConversation(new URL(file, here))).grade).toBe(one.grade);
    }
  });
});

function sentences({ number, request, mismatches }: StepResult): string[] {
  return mismatches.map(
    (mismatch) => `step ${number}, ${request?.method ?? 'not sent'} ${request?.path ?? ''}: ${mismatch}`,
  );
}
