/** The gateway's application, ready for `inject`: on a database of its own, without a port or background work. */

import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Agent } from 'undici';
import { buildApp } from '../../src/app.ts';
import { textRecordsOf } from '../../src/domains/dns-client.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { secretBox } from '../../src/kernel/secret-box.ts';
import { signerFor } from '../../src/kernel/signer.ts';
import { CreationLedger } from '../../src/scim/creation-hook.ts';
import { OidcProviders } from '../../src/sso/oidc-client.ts';
import { testDatabase } from './database.ts';

export async function idleApp(): Promise<{ app: FastifyInstance; close(): Promise<void> }> {
  const { database, close } = await testDatabase();
  const log = pino({ level: 'silent' });
  const services = {
    database,
    background: database,
    clock: systemClock,
    testClock: undefined,
    realClock: systemClock,
    secrets: secretBox(Buffer.alloc(32)),
    auditSigner: signerFor('audit', Buffer.alloc(32)),
    publicUrl: 'http://gateway.example.com',
    blueApiUrl: 'http://blue.example.com/graphql',
    blueAppUrl: 'http://blue.example.com',
    blueAgent: new Agent(),
    textRecords: textRecordsOf(undefined),
    allowPrivateNetworks: false,
    nudgeSync: () => {},
    creations: new CreationLedger(database, log),
    oidcProviders: new OidcProviders({
      dispatcher: new Agent(),
      allowPrivateNetworks: false,
      nowMs: () => performance.now(),
      log,
    }),
  };
  const app = await buildApp({ services, log, trustProxy: false, scimRateLimit: 0 });
  await app.ready();
  return {
    app,
    close: async () => {
      await app.close();
      await close();
    },
  };
}
