/** What people read when they sign in, in each language: plain, and true. */

import type { anyCustomRole, RoleKey } from '../../licensing/catalogue.ts';
import type { BlueState } from '../../provisioning/user-view.ts';
import type { ToldPlainly } from './refusal.ts';

export const languages = ['en', 'nl'] as const;
export type Language = (typeof languages)[number];

export interface Words {
  signIn: string;
  signedIn: string;
  signOut: string;
  signedOut: string;
  sentHere: string;
  sentHereButton: string;
  signingOut: string;
  signOutThere: string;
  loggedOut: string;
  notSignedIn: string;
  howToBegin: string;
  choose: string;
  failed: string;
  waits: string;
  tryAgain: string;
  reference: string;
  account: string;
  organisation: string;
  access: string;
  signInAgain: string;
  yourEmail: string;
  goOn: string;
  onTheWay: string;
  unknownEmail: string;
  refused: Record<ToldPlainly, string>;
  roles: (roles: string) => string;
  /** What a role is called; custom ones by their own name. */
  role: Record<Exclude<RoleKey, typeof anyCustomRole>, string>;
  onward: Record<'accept' | 'open', string>;
  openWorkspace: (name: string) => string;
  workspaces: string;
  moreWorkspaces: (count: number) => string;
  /** How far what was decided has come in Blue. */
  inBlue: Record<Exclude<BlueState, 'none'>, string>;
  queued: (position: number) => string;
  queuedUnnumbered: string;
  onHold: string;
  blocked: string;
  noRole: string;
  asksToSignOut: (application: string) => string;
  signedInElsewhere: string;
  toSignInElsewhere: (organisation: string) => string;
  switch: string;
  stay: string;
}

export const words: Record<Language, Words> = {
  en: {
    signIn: 'Sign in',
    signedIn: 'You are signed in',
    signOut: 'Sign out',
    signedOut: 'You are signed out here. Your organisation may still keep you signed in.',
    sentHere: 'Your organisation has sent you here.',
    sentHereButton: 'Go on to sign in',
    signingOut: 'You are signed out here. You are being signed out at your organisation, too.',
    signOutThere: 'Sign out at your organisation',
    loggedOut: 'You are signed out, here and at your organisation.',
    notSignedIn: 'You are not signed in',
    howToBegin: 'Begin at the sign-in address that your organisation gave you.',
    choose: 'Choose how you sign in',
    failed: 'Signing in did not work',
    waits: 'Your access waits for approval',
    tryAgain:
      'Please begin again at the sign-in address of your organisation. If that does not help, give this reference to your administrator.',
    reference: 'Reference',
    account: 'Account',
    organisation: 'Organisation',
    access: 'Access to Blue',
    signInAgain: 'Sign in again',
    yourEmail: 'Your e-mail address at work',
    goOn: 'Continue',
    onTheWay: 'On to your organisation',
    unknownEmail:
      'There is no sign-in here for this address. Look for a typing error, or ask your administrator for the sign-in address of your organisation.',
    refused: {
      removed: 'Your account was removed: ask your administrator.',
      not_provisioned: 'You are not provisioned: ask your administrator to give you access.',
      pending: 'An administrator of your organisation must let you in. After that, sign in again.',
      inactive: 'Your account is switched off: ask your administrator.',
    },
    roles: (roles) => `You have access as: ${roles}.`,
    role: {
      project_administrator: 'project administrator',
      team_member: 'team member',
      client: 'client',
      comment_only: 'commenter',
      view_only: 'viewer',
    },
    onward: { accept: 'Accept the invitation', open: 'Open Blue' },
    openWorkspace: (name) => `Open ${name} in Blue`,
    workspaces: 'Your workspaces in Blue',
    moreWorkspaces: (count) => `You find ${count} more in Blue.`,
    inBlue: {
      waiting: 'This is on its way to Blue, and takes some minutes.',
      invited: 'Blue has sent an invitation to your e-mail address: accept it.',
      active: 'You can work in Blue.',
      refused: 'Blue has not taken this over: ask your administrator.',
      removed: 'You are not in Blue any more: ask your administrator.',
    },
    queued: (position) => `You are waiting for a seat: number ${position} in the queue.`,
    queuedUnnumbered: 'You are waiting for a seat: it is not decided yet.',
    onHold: 'A seat is kept for you while your groups change.',
    blocked: 'No seat is free for you: ask your administrator.',
    noRole: 'You have no role in Blue yet: ask your administrator to add you to a group that has one.',
    asksToSignOut: (application) => `${application} asks to sign you out, here and in all applications.`,
    signedInElsewhere: 'You are signed in already',
    toSignInElsewhere: (organisation) =>
      `You are signed in at ${organisation}, and this is the sign-in of another organisation. Going on signs you out at ${organisation}, in its applications, too.`,
    switch: 'Sign out, and go on',
    stay: 'Stay signed in',
  },
  nl: {
    signIn: 'Inloggen',
    signedIn: 'Je bent ingelogd',
    signOut: 'Uitloggen',
    signedOut: 'Je bent hier uitgelogd. Bij je organisatie kun je nog ingelogd zijn.',
    sentHere: 'Je organisatie heeft je hierheen gestuurd.',
    sentHereButton: 'Verder naar inloggen',
    signingOut: 'Je bent hier uitgelogd. Je wordt nu ook bij je organisatie uitgelogd.',
    signOutThere: 'Uitloggen bij je organisatie',
    loggedOut: 'Je bent uitgelogd, hier en bij je organisatie.',
    notSignedIn: 'Je bent niet ingelogd',
    howToBegin: 'Begin bij het inlogadres dat je van je organisatie hebt gekregen.',
    choose: 'Kies hoe je inlogt',
    failed: 'Inloggen is niet gelukt',
    waits: 'Je toegang wacht op goedkeuring',
    tryAgain:
      'Begin opnieuw bij het inlogadres van je organisatie. Helpt dat niet, geef deze referentie dan aan je beheerder.',
    reference: 'Referentie',
    account: 'Account',
    organisation: 'Organisatie',
    access: 'Toegang tot Blue',
    signInAgain: 'Opnieuw inloggen',
    yourEmail: 'Je e-mailadres op het werk',
    goOn: 'Verder',
    onTheWay: 'Op weg naar je organisatie',
    unknownEmail:
      'Met dit adres kun je hier niet inloggen. Kijk of er een typefout in staat, of vraag je beheerder om het inlogadres van je organisatie.',
    refused: {
      removed: 'Je account is verwijderd: vraag het je beheerder.',
      not_provisioned: 'Je hebt hier nog geen account: vraag je beheerder om toegang.',
      pending: 'Een beheerder van je organisatie moet je toelaten. Log daarna opnieuw in.',
      inactive: 'Je account staat uit: vraag het je beheerder.',
    },
    roles: (roles) => `Je hebt toegang als: ${roles}.`,
    role: {
      project_administrator: 'projectbeheerder',
      team_member: 'teamlid',
      client: 'klant',
      comment_only: 'lezer die reageert',
      view_only: 'lezer',
    },
    onward: { accept: 'Uitnodiging aannemen', open: 'Blue openen' },
    openWorkspace: (name) => `${name} in Blue openen`,
    workspaces: 'Je werkruimtes in Blue',
    moreWorkspaces: (count) => `In Blue vind je er nog ${count}.`,
    inBlue: {
      waiting: 'Dit is onderweg naar Blue, en duurt enkele minuten.',
      invited: 'Blue heeft een uitnodiging naar je e-mailadres gestuurd: neem die aan.',
      active: 'Je kunt in Blue werken.',
      refused: 'Blue heeft dit niet overgenomen: vraag het je beheerder.',
      removed: 'Je bent niet meer in Blue: vraag het je beheerder.',
    },
    queued: (position) => `Je wacht op een plaats: nummer ${position} in de wachtrij.`,
    queuedUnnumbered: 'Je wacht op een plaats: er is nog niet over beslist.',
    onHold: 'Er wordt een plaats voor je vrijgehouden terwijl je groepen veranderen.',
    blocked: 'Er is geen plaats vrij voor je: vraag het je beheerder.',
    noRole: 'Je hebt nog geen rol in Blue: vraag je beheerder om je aan een groep met een rol toe te voegen.',
    asksToSignOut: (application) => `${application} vraagt je uit te loggen, hier en in alle toepassingen.`,
    signedInElsewhere: 'Je bent al ingelogd',
    toSignInElsewhere: (organisation) =>
      `Je bent ingelogd bij ${organisation}, en dit is de inlogpagina van een andere organisatie. Ga je verder, dan word je bij ${organisation} uitgelogd, ook in de toepassingen daar.`,
    switch: 'Uitloggen en verdergaan',
    stay: 'Ingelogd blijven',
  },
};

/** The first language of the header that is spoken here (RFC 9110 §12.5.4); weights are not reckoned with: browsers send them in order. */
export function languageOf(header: string | undefined): Language {
  const wanted = (header ?? '').slice(0, 500).split(',');
  for (const one of wanted) {
    const tag = one.trim().slice(0, 2).toLowerCase();
    const known = languages.find((language) => language === tag);
    if (known !== undefined) return known;
  }
  return 'en';
}
