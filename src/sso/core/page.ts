/**
 * The pages of signing in as HTML: no picture, nothing from elsewhere, and no script but the one line that posts a form, which
 * its button does as well. Whatever is told is escaped here.
 */

import { unreachable } from '../../kernel/assert.ts';
import { anyCustomRole, customRoleOf, entryKeyOf } from '../../licensing/catalogue.ts';
import type { SeatView } from '../../licensing/effect.ts';
import type { BlueState } from '../../provisioning/user-view.ts';
import type { PostedForm, Transfer } from './binding.ts';
import type { BlueLink } from './blue-link.ts';
import { isToldPlainly, type RefusalReason } from './refusal.ts';
import { loginPathOf, type SignInPlace } from './sign-in-place.ts';
import { style } from './style.ts';
import { type Language, type Words, words } from './words.ts';
import { escapeXml } from './xml.ts';

export interface Person {
  name: string;
  userName: string;
  organisation: string;
  seat: SeatView;
  /** Keys of the roles that the person has now. */
  roles: readonly string[];
  blue: BlueState;
  onward: BlueLink | undefined;
}

export function personPage(language: Language, person: Person): string {
  const say = words[language];
  return page(
    language,
    say.signedIn,
    `<dl><dt>${say.account}</dt><dd>${escapeXml(person.name)} (${escapeXml(person.userName)})</dd>
<dt>${say.organisation}</dt><dd>${escapeXml(person.organisation)}</dd>
<dt>${say.access}</dt><dd>${escapeXml(accessOf(say, person))}</dd>${inBlueOf(say, person)}</dl>
${onwardOf(say, person)}<form method="post" action="/sso/logout"><button type="submit" class="quiet">${say.signOut}</button></form>`,
  );
}

function accessOf(say: Words, { seat, roles }: Pick<Person, 'seat' | 'roles'>): string {
  const own = roles.length === 0 ? '' : say.roles(roles.map((key) => roleIn(say, key)).join(', '));
  switch (seat.state) {
    case 'queued':
      return `${seat.position === null ? say.queuedUnnumbered : say.queued(seat.position)} ${own}`.trim();
    case 'blocked':
      return `${say.blocked} ${own}`.trim();
    case 'hold':
      return `${say.onHold} ${own}`.trim();
    case 'none':
    case 'held':
    case 'overage':
      return own === '' ? say.noRole : own;
    default:
      return unreachable(seat.state);
  }
}

export function roleIn(say: Pick<Words, 'role'>, key: string): string {
  const entry = entryKeyOf(key);
  return entry === undefined || entry === anyCustomRole ? (customRoleOf(key) ?? key) : say.role[entry];
}

function onwardOf(say: Words, { onward }: Pick<Person, 'onward'>): string {
  switch (onward?.kind) {
    case undefined:
      return '';
    case 'accept':
    case 'open':
      return buttonTo(onward.url, say.onward[onward.kind]);
    case 'workspace':
      return buttonTo(onward.url, say.openWorkspace(escapeXml(onward.name)));
    case 'workspaces': {
      const more = onward.more === 0 ? '' : `<p>${say.moreWorkspaces(onward.more)}</p>\n`;
      const home = buttonTo(onward.url, say.onward.open);
      return `<h2>${say.workspaces}</h2>\n${listOfLinks(onward.listed)}\n${more}${home}`;
    }
    default:
      return unreachable(onward);
  }
}

function buttonTo(url: string, text: string): string {
  return `<p><a class="button" href="${escapeXml(url)}">${text}</a></p>\n`;
}

function listOfLinks(links: readonly { name: string; url: string }[]): string {
  const items = links.map(({ name, url }) => `<li><a href="${escapeXml(url)}">${escapeXml(name)}</a></li>`);
  return `<ul>${items.join('\n')}</ul>`;
}

/** Whoever has no role is told so, not how that went in Blue. */
function inBlueOf(say: Words, { blue, roles }: Pick<Person, 'blue' | 'roles'>): string {
  return blue === 'none' || roles.length === 0 ? '' : `\n<dt>Blue</dt><dd>${say.inBlue[blue]}</dd>`;
}

/** Where "Sign in again" leads; undefined: to the page that asks for an e-mail address. */
interface Again {
  place: SignInPlace | undefined;
}

/** The same for every reason but those that a person who is known is told. */
export function refusalPage(
  language: Language,
  { reason, reference, place }: Again & { reason?: RefusalReason; reference: string },
): string {
  const say = words[language];
  const told = reason !== undefined && isToldPlainly(reason) ? say.refused[reason] : say.tryAgain;
  return page(
    language,
    reason === 'pending' ? say.waits : say.failed,
    `<p>${told}</p>\n<p>${say.reference}: <code>${escapeXml(reference)}</code></p>\n${signInAgain(say, place)}`,
  );
}

export function chooserPage(
  language: Language,
  connections: readonly { name: string; url: string }[],
): string {
  return page(language, words[language].choose, listOfLinks(connections));
}

/** Asks whether to sign out. @param form HTML of the OpenID provider, without its button. */
export function logoutPage(
  language: Language,
  { form, application }: { form: string; application: string | undefined },
): string {
  const say = words[language];
  const asked = application === undefined ? '' : `<p>${say.asksToSignOut(escapeXml(application))}</p>`;
  const button = `<button type="submit" form="op.logoutForm" name="logout" value="yes">${say.signOut}</button>`;
  return page(language, say.signOut, `${asked}\n${form}\n${button}`);
}

/** @param of Whether somebody was signed in until now. */
export function signedOutPage(
  language: Language,
  { wasSignedIn, place }: Again & { wasSignedIn: boolean },
): string {
  const say = words[language];
  const told = wasSignedIn ? say.signedOut : say.howToBegin;
  return page(language, say.notSignedIn, `<p>${told}</p>\n${signInAgain(say, place)}`);
}

/** Asks who somebody is by their e-mail address, to know where they sign in. */
export function emailPage(
  language: Language,
  { email, returnTo }: { email: string | undefined; returnTo: string | null },
): string {
  const say = words[language];
  const isUnknown = email !== undefined;
  const hint = isUnknown ? `<p id="unknown" role="alert">${say.unknownEmail}</p>\n` : '';
  const about = isUnknown ? ' aria-invalid="true" aria-describedby="unknown"' : '';
  const goal =
    returnTo === null ? '' : `<input type="hidden" name="return" value="${escapeXml(returnTo)}">\n`;
  return page(
    language,
    say.signIn,
    `${hint}<form method="get" action="/sso/login">
<p><label for="email">${say.yourEmail}</label>
<input id="email" name="email" type="email" value="${escapeXml(email ?? '')}" autocomplete="username" required autofocus${about}></p>
${goal}<button type="submit">${say.goOn}</button></form>`,
  );
}

function signInAgain(say: Words, place: SignInPlace | undefined): string {
  return `<p><a href="${loginPathOf(place)}">${say.signInAgain}</a></p>`;
}

/** Of who comes from the identity provider's own portal: the login begins with one click. */
export function continuePage(
  language: Language,
  { action, returnTo }: { action: string; returnTo: string | null },
): string {
  const say = words[language];
  const kept = returnTo === null ? '' : `<input type="hidden" name="return" value="${escapeXml(returnTo)}">`;
  return page(
    language,
    say.signIn,
    `<p>${say.sentHere}</p>\n<form method="get" action="${escapeXml(action)}">${kept}<button type="submit">${say.sentHereButton}</button></form>`,
  );
}

/** Of who is signed in at another organisation than where a login is to begin: whoever wrote the link may mean them no good. */
export function elsewherePage(
  language: Language,
  { organisation, beginning }: { organisation: string; beginning: string },
): string {
  const say = words[language];
  return page(
    language,
    say.signedInElsewhere,
    `<p>${say.toSignInElsewhere(escapeXml(organisation))}</p>
<form method="post" action="/sso/switch"><input type="hidden" name="to" value="${escapeXml(beginning)}"><button type="submit">${say.switch}</button></form>
<p><a href="/sso">${say.stay}</a></p>`,
  );
}

/** The browser goes on by itself; without that, by the link or the button. */
export function signingOutPage(language: Language, transfer: Transfer): string {
  const say = words[language];
  if (transfer.binding === 'post') {
    const form = formOf(transfer, say.signOutThere);
    return page(language, say.notSignedIn, `<p>${say.signingOut}</p>\n${form}`, { script: submitScript });
  }
  const [to, link] = [escapeXml(transfer.url), say.signOutThere];
  return page(language, say.notSignedIn, `<p>${say.signingOut}</p>\n<p><a href="${to}">${link}</a></p>`, {
    head: `<meta http-equiv="refresh" content="0;url=${to}">`,
  });
}

/** A message on its way to the identity provider (SAML 2.0 Bindings §3.5.4): the browser posts it by itself, or by the button. */
export function postingPage(language: Language, form: PostedForm): string {
  const say = words[language];
  return page(language, say.onTheWay, formOf(form, say.goOn), { script: submitScript });
}

/** The content security policy names it by its hash. */
export const submitScript = 'document.forms[0].submit()';

function formOf({ url, fields }: PostedForm, button: string): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeXml(name)}" value="${escapeXml(value)}">`,
  );
  return `<form method="post" action="${escapeXml(url)}">${inputs.join('')}<button type="submit">${button}</button></form>`;
}

export function loggedOutPage(language: Language, { place }: Again): string {
  const say = words[language];
  return page(language, say.notSignedIn, `<p>${say.loggedOut}</p>\n${signInAgain(say, place)}`);
}

/** One page of this kind. @param body HTML. */
export function page(
  language: Language,
  title: string,
  body: string,
  { head = '', script }: { head?: string; script?: string } = {},
): string {
  const last = script === undefined ? '' : `<script>${script}</script>`;
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – Blue Gateway</title><style>${style}</style>${head}</head>
<body><main><p class="product">Blue Gateway</p><h1>${title}</h1>
${body}
</main>${last}</body></html>
`;
}
