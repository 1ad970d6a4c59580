/** The people of a recording, as their identity provider knows them, and its page that asks who signs in. No passwords. */

import type { Conversation } from '../conversation.ts';
import { isObject, type JsonObject } from '../matcher.ts';
import type { IdpPerson } from './server.ts';

/** Everybody whom the recording creates, as it leaves them. Their id is SCIM's externalId, as it is at real ones. */
export function peopleOf({ steps }: Pick<Conversation, 'steps'>): IdpPerson[] {
  const people = new Map<unknown, JsonObject>();
  for (const { request, save = {} } of steps) {
    const { method, path, body } = request;
    if (!isObject(body)) continue;
    const [name] = Object.keys(save);
    // As later steps name them.
    if (method === 'POST' && path === '/Users')
      people.set(name === undefined ? body : `/Users/{{${name}}}`, body);
    const before = people.get(path);
    if (method === 'PUT' && before !== undefined) people.set(path, { ...before, ...body });
  }
  return [...people.values()].map(personOf);
}

function personOf({ externalId, displayName, userName }: JsonObject): IdpPerson {
  const [givenName = '', familyName = ''] = String(displayName).split(' ');
  const emails = [{ value: String(userName) }];
  return {
    id: String(externalId),
    displayName: String(displayName),
    name: { givenName, familyName },
    emails,
  };
}

/** @param query What the gateway sent, which comes again with the answer. */
export function askPage(title: string, people: readonly IdpPerson[], query: Record<string, string>): string {
  const kept = Object.entries(query).map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  );
  const buttons = people.map(
    ({ id, displayName }) =>
      `<p><button name="person" value="${escaped(id)}">${escaped(displayName)}</button></p>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>:root{color-scheme:light dark;font-family:system-ui,sans-serif}
body{max-width:20rem;margin:3rem auto;padding:0 1rem}button{font:inherit;width:100%;padding:.75rem}</style></head>
<body><main><h1>${escaped(title)}</h1><p>Who signs in? There are no passwords here.</p>
<form>${kept.join('')}${buttons.join('\n')}</form></main></body></html>
`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (one) => `&#${one.codePointAt(0)};`);
}
