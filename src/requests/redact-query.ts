/** Takes secrets out of a URL: tokens in its path; in its query parameters that are named like one, and what filters compare with one. Pure. */

import {
  type Findings,
  isSecretName,
  note,
  redactFilter,
  removedText,
  withoutTokens,
} from './secret-names.ts';

/** Parameters that hold names and no values. */
const listsNames = /^(?:attributes|excludedattributes|sortby)$/i;
/** How often something may be encoded over and over. */
const decodingsMax = 5;

/** @param query As it stands in the URL, without the question mark; what holds no secret stays as it was sent. */
export function redactQuery(query: string, findings: Findings): string {
  return query
    .split('&')
    .map((parameter) => redactParameter(parameter, findings))
    .join('&');
}

/** @param path As it stands in the URL; what holds no token of ours stays as it was sent. */
export function redactPath(path: string): string {
  const plain = decoded(path);
  const kept = withoutTokens(plain);
  return kept === plain ? path : encodeURI(kept.toWellFormed());
}

function redactParameter(parameter: string, findings: Findings): string {
  const at = parameter.indexOf('=');
  const [name, sent] = at === -1 ? ['', parameter] : [parameter.slice(0, at), parameter.slice(at + 1)];
  const plainName = decoded(name);
  const value = decoded(sent);
  const prefix = at === -1 ? '' : `${name}=`;
  if (isSecretName(plainName)) {
    note(findings, value);
    return `${prefix}${removedText}`;
  }
  if (listsNames.test(plainName)) return parameter;
  const kept = withoutTokens(redactFilter(value, findings));
  return kept === value ? parameter : `${prefix}${encodeURIComponent(kept.toWellFormed())}`;
}

/** Until nothing is encoded any more. */
function decoded(text: string): string {
  let plain = text.replaceAll('+', ' ');
  for (let round = 0; round < decodingsMax && plain.includes('%'); round += 1) {
    const next = decodedOnce(plain);
    if (next === plain) break;
    plain = next;
  }
  return plain;
}

/** What is no UTF-8 is read byte by byte: its ASCII is what counts. */
function decodedOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}
