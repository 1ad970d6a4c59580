/**
 * Plays every conversation of this folder against a running gateway. Each one gets a tenant of its own, so that
 * counts are exact and no file leans on another; the folder tells the kind of directory.
 */

import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playConversation, readConversation, type StepResult } from '../../demo/conversation.ts';
import { startGateway } from '../support/gateway.ts';

const here = new URL('./', import.meta.url);
const folders = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const filesOf = (folder: string) =>
  readdirSync(new URL(`${folder}/`, here)).filter((file) => file.endsWith('.json'));

/** OneLogin, JumpCloud, Ping, authentik and the rest come as `generic`: no leniency of their own. */
const kindOf = (folder: string) => (folder === 'entra' || folder === 'okta' ? folder : 'generic');

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
        token: await tenant.directoryToken(kindOf(folder)),
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

function sentences({ number, request, mismatches }: StepResult): string[] {
  return mismatches.map(
    (mismatch) => `step ${number}, ${request?.method ?? 'not sent'} ${request?.path ?? ''}: ${mismatch}`,
  );
}
