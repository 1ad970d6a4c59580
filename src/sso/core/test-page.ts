/** What a test login came to, for the admin who ran it. */

import { page, roleIn } from './page.ts';
import type { TestReport } from './test-report.ts';
import { words as common, type Language } from './words.ts';
import { escapeXml } from './xml.ts';

const words = {
  en: {
    passed: 'The test login would be let in',
    failed: 'The test login would be refused',
    nothingDone: 'This was a test: nobody is signed in, and nothing was changed.',
    steps: 'Steps passed',
    reason: 'Reason',
    user: 'User',
    isNew: 'would be made',
    isKnown: 'is there already',
    roles: 'Roles',
    seat: 'Seat',
    none: 'none',
    identity: 'What the connection reads',
    claims: 'What the identity provider sent',
  },
  nl: {
    passed: 'De testlogin zou worden toegelaten',
    failed: 'De testlogin zou worden geweigerd',
    nothingDone: 'Dit was een test: niemand is ingelogd, en er is niets veranderd.',
    steps: 'Gelukte stappen',
    reason: 'Reden',
    user: 'Gebruiker',
    isNew: 'zou worden aangemaakt',
    isKnown: 'bestaat al',
    roles: 'Rollen',
    seat: 'Plaats',
    none: 'geen',
    identity: 'Wat de koppeling leest',
    claims: 'Wat de identity provider stuurde',
  },
} as const satisfies Record<Language, object>;

export function testPage(language: Language, report: TestReport): string {
  const say = words[language];
  const { steps, reason, detail, user, roles, seat, identity, claims } = report;
  const named = roles.map((key) => roleIn(common[language], key));
  const outcome =
    reason === null
      ? [
          [say.user, user === null ? say.none : `${user.userName} (${user.isNew ? say.isNew : say.isKnown})`],
          [say.roles, named.length === 0 ? say.none : named.join(', ')],
          [say.seat, seat ?? say.none],
        ]
      : [[say.reason, `${reason}: ${detail ?? ''}`, 'en']];
  const came = Object.entries(claims).map(([name, values]) => [name, values.join(', ')]);
  return page(
    language,
    reason === null ? say.passed : say.failed,
    `<p>${say.nothingDone}</p>
${listOf([[say.steps, steps.join(', ')], ...outcome])}
${sectionOf(say.identity, Object.entries(identity ?? {}))}
${sectionOf(say.claims, came)}`,
  );
}

/** Names and values, with the language of the value where it is not the page's (WCAG 2.2, 3.1.2). */
type Pairs = readonly (readonly string[])[];

function sectionOf(title: string, pairs: Pairs): string {
  return pairs.length === 0 ? '' : `<h2>${title}</h2>\n${listOf(pairs)}`;
}

function listOf(pairs: Pairs): string {
  const rows = pairs.map(
    ([name = '', value = '', language]) =>
      `<dt>${escapeXml(name)}</dt><dd${language === undefined ? '' : ` lang="${language}"`}>${escapeXml(value)}</dd>`,
  );
  return `<dl>${rows.join('\n')}</dl>`;
}
