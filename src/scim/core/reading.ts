/** What one request's body gathers while it is read: what is wrong with it, and what was left out of it. */

import type { ScimType } from '../../kernel/fault.ts';
import { invalid } from '../../kernel/fault.ts';
import type { Leniencies } from './leniency.ts';

interface Issue {
  readonly scimType: ScimType;
  /** A clause without a full stop. It names attributes and never repeats values, which may be secret. */
  readonly message: string;
  readonly field: string;
}

export interface Reading {
  readonly tolerates: Leniencies;
  readonly issues: Issue[];
  /** Names the gateway does not know, for the log and the recorded call. */
  readonly ignored: string[];
}

// A body of megabytes may hold as many faults as it likes: these bound what is repeated of it.
const issuesMax = 10;
const ignoredMax = 50;
const nameLengthMax = 200;

export function newReading(tolerates: Leniencies): Reading {
  return { tolerates, issues: [], ignored: [] };
}

/** Answers undefined, the value of what could not be read. */
export function addIssue(reading: Reading, scimType: ScimType, field: string, problem: string): undefined {
  if (reading.issues.length < issuesMax) {
    reading.issues.push({ scimType, field, message: `"${field}" ${problem}` });
  }
}

/** A name that nobody here knows: left out and reported, or refused (leniency `unknownNames`). */
export function addUnknown(
  reading: Reading,
  name: string,
  scimType: 'invalidSyntax' | 'invalidPath' = 'invalidSyntax',
): void {
  if (reading.tolerates.has('unknownNames')) addIgnored(reading, name);
  else addIssue(reading, scimType, name.slice(0, nameLengthMax), 'is not known here');
}

function addIgnored(reading: Reading, name: string): void {
  const short = name.slice(0, nameLengthMax);
  if (reading.ignored.length < ignoredMax && !reading.ignored.includes(short)) reading.ignored.push(short);
}

const precedence: readonly ScimType[] = ['invalidSyntax', 'invalidPath', 'invalidValue', 'mutability'];

/** Throws one fault for all issues: the gravest gives the `scimType`, all are told in one sentence. */
export function refuseIssues(reading: Reading): void {
  const issues = reading.issues.toSorted(
    (a, b) => precedence.indexOf(a.scimType) - precedence.indexOf(b.scimType),
  );
  const [gravest] = issues;
  if (gravest === undefined) return;
  throw invalid(gravest.scimType, `${issues.map((issue) => issue.message).join('; ')}.`, gravest.field);
}
