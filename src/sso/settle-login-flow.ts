/** The common end of all logins: a session or a refusal, and a trace of it; of a test a report, and nothing else. */

import type { Database } from '../db/database.ts';
import { RehearsalTooLong, rehearse } from '../db/rehearsal.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { columnsOf } from '../directory/user.ts';
import { Fault } from '../kernel/fault.ts';
import { newId, type TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { toStorable } from '../kernel/storable.ts';
import { selectUserView } from '../provisioning/user-view-store.ts';
import type { Refusal, RefusalReason } from './core/refusal.ts';
import { shownClaims, shownIdentity, type TestReport } from './core/test-report.ts';
import { insertTrace } from './login-store.ts';
import {
  type ConnectionPlace,
  detailLengthMax,
  refusalOf,
  type SignedIn,
  type SignOn,
  signIn,
  type Trace,
  type Vouched,
} from './sign-in-flow.ts';
import { writeReport } from './test-store.ts';

export type LoginOutcome =
  | SignedIn
  | { kind: 'tested'; report: TestReport }
  | { kind: 'refused'; reference: string; reason: RefusalReason; isTraced: boolean };

export interface AnswerContext {
  requestId: string;
  /** SHA-256 of the answer, in hex. */
  responseHash: string;
  /** Whether one that shows no signature of the identity provider, as anybody can post, is to be traced. */
  mayTrace: () => boolean;
}

/**
 * Refusals are outcomes.
 *
 * @param read Checks the answer, and adds to the trace the steps that it passed: `signature` once it is the identity provider's.
 * @throws Fault `unavailable` and the like.
 */
export async function settleLogin(
  signOn: SignOn,
  { tenantId, connectionId }: ConnectionPlace,
  { requestId, responseHash, mayTrace }: AnswerContext,
  read: (trace: Trace) => Promise<Vouched>,
): Promise<LoginOutcome> {
  const now = signOn.clock.now();
  const trace: Trace = {
    ...{ id: newId<string>(now.getTime()), connectionId, at: now, responseHash },
    ...{ steps: [], reason: null, detail: null, userId: null, subject: null, attributes: [] },
    ...{ testId: null, claims: new Map() },
  };
  try {
    const vouched = await read(trace);
    if (trace.testId === null) return await signIn(signOn, tenantId, vouched, { trace, requestId });
    const report = await rehearseLogin(signOn, tenantId, vouched, { trace, requestId });
    return await reportTest(signOn.database, tenantId, trace.testId, report);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    if (trace.testId !== null) {
      return await reportTest(signOn.database, tenantId, trace.testId, refusedReport(trace, refusal));
    }
    const { reason, message } = refusal;
    const isTraced = trace.steps.includes('signature') || mayTrace();
    if (isTraced) {
      await inTenant(signOn.database, tenantId, async (tx) =>
        insertTrace(tx, { ...trace, reason, detail: message.slice(0, detailLengthMax) }),
      );
    }
    return { kind: 'refused', reference: trace.id, reason, isTraced };
  }
}

async function reportTest(
  database: Database,
  tenantId: TenantId,
  testId: string,
  report: TestReport,
): Promise<LoginOutcome> {
  await inTenant(database, tenantId, async (tx) => writeReport(tx, testId, report));
  return { kind: 'tested', report };
}

type Passed = Pick<Trace, 'at' | 'steps' | 'claims'>;

function reportOf({ at, steps, claims }: Passed): TestReport {
  const nobody = { identity: null, user: null, roles: [], seat: null };
  const shown = { steps: [...steps], claims: shownClaims(claims) };
  return { at: at.toISOString(), reason: null, detail: null, ...shown, ...nobody };
}

export function refusedReport(trace: Passed, { reason, message }: Refusal): TestReport {
  return { ...reportOf(trace), reason, detail: toStorable(message.slice(0, detailLengthMax)) };
}

/** The login as it would be, and how the person would stand; then all of it is taken back. */
async function rehearseLogin(
  signOn: SignOn,
  tenantId: TenantId,
  vouched: Vouched,
  { trace, requestId }: { trace: Trace; requestId: string },
): Promise<TestReport> {
  const identity = shownIdentity(vouched.identity);
  const work = async (database: Database): Promise<TestReport> => {
    try {
      await signIn({ ...signOn, database }, tenantId, vouched, { trace, requestId });
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return { ...refusedReport(trace, refusal), identity };
    }
    trace.steps.push('identity', 'session');
    const { userId, at } = trace;
    const view =
      userId === null
        ? undefined
        : await inTenant(database, tenantId, (tx) => selectUserView(tx, userId, at));
    const user = view && {
      id: view.user.id,
      userName: columnsOf(view.user.attributes).userName,
      isNew: view.user.createdAt.getTime() === at.getTime(),
    };
    const roles = [...new Set((view?.decision?.effective ?? []).map(({ role }) => role))];
    return { ...reportOf(trace), identity, user: user ?? null, roles, seat: view?.seat.state ?? null };
  };
  const msMax = limits.connectionTestMsMax;
  return await rehearse(signOn.database, { tenantId, msMax }, work).catch((error: unknown) => {
    if (!(error instanceof RehearsalTooLong)) throw error;
    const text = 'Too much else is under way to try this login, and nothing was changed: begin another test.';
    throw new Fault('unavailable', text, { retryAfterSeconds: 5, cause: error });
  });
}
