/** Whose sessions an identity provider wants ended (draft-parecki-oauth-global-token-revocation §3; subject identifiers of RFC 9493). */

import { Fault } from '../../kernel/fault.ts';
import { fold } from '../../kernel/fold.ts';
import { limits } from '../../kernel/limits.ts';
import { isKey } from '../../kernel/storable.ts';

export type RevokedSubject =
  | { format: 'email'; address: string }
  | { format: 'iss_sub'; issuer: string; subject: string };

/** @param body As JSON gave it. @throws Fault `invalid` */
export function readRevokedSubject(body: unknown): RevokedSubject {
  const { sub_id: found } = isObject(body) ? body : {};
  if (!isObject(found)) throw refused('sub_id', 'Send sub_id: an object that names the person (RFC 9493).');
  switch (found.format) {
    case 'email':
      return { format: 'email', address: fold(text(found, 'email')) };
    case 'iss_sub':
      return { format: 'iss_sub', issuer: text(found, 'iss'), subject: text(found, 'sub') };
    default:
      throw refused('sub_id.format', 'sub_id.format must be email or iss_sub: no other is understood here.');
  }
}

function text(found: Record<string, unknown>, name: string): string {
  const value = found[name];
  if (isKey(value)) return value;
  throw refused(`sub_id.${name}`, `sub_id.${name} must be a text of 1 to ${limits.keyBytesMax} bytes.`);
}

function refused(field: string, sentence: string): Fault {
  return new Fault('invalid', sentence, { field });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
