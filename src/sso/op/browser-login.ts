/** Who is signed in to the gateway in a browser, told to the provider beside Node's request. */

import type { StandingLogin } from './login-rule.ts';

export interface BrowserLogin extends StandingLogin {
  /** Of the session's row. */
  hash: string;
  /** Of the session, from now. */
  secondsLeft: number;
}

const browserLogins = new WeakMap<object, BrowserLogin>();

export function setBrowserLogin(request: object, login: BrowserLogin): void {
  browserLogins.set(request, login);
}

export function browserLoginOf(request: object): BrowserLogin | undefined {
  return browserLogins.get(request);
}
