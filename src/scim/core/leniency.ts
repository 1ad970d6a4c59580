/**
 * What clients send beside RFC 7644 and is read all the same, by name. Which of these a directory tolerates follows
 * from its kind (../dialect.ts); what can have only one meaning and costs nothing is read from everybody and has no name.
 */

export interface LeniencyFacts {
  /** One line: what is sent, and by whom. */
  readonly why: string;
  /** The conversation under test/idp that shows it. */
  readonly fixture: string;
  /** What a directory hears that does not tolerate it. */
  readonly otherwise: string;
}

export const leniencies = {
  opsInAnyCase: {
    why: 'Entra writes "op": "Add", "Replace", "Remove".',
    fixture: 'ENTRA-14',
    otherwise: '400 `invalidSyntax`',
  },
  scalarsAsText: {
    why: 'Entra and OneLogin write booleans as the texts "True" and "False".',
    fixture: 'ENTRA-18',
    otherwise: '400 `invalidValue`',
  },
  namesAsPaths: {
    why: 'Entra\'s path-less PATCH has names such as `name.givenName`, `emails[type eq "work"].value` and `urn:…:User:department`.',
    fixture: 'ENTRA-21',
    otherwise: '400 `invalidPath`',
  },
  bareComplexValues: {
    why: 'Entra sends a manager as the bare id.',
    fixture: 'ENTRA-24',
    otherwise: '400 `invalidValue`',
  },
  createdByReplace: {
    why: 'Entra replaces `phoneNumbers[type eq "mobile"].value` where there is none; RFC 7644 §3.5.2.3 says `noTarget`.',
    fixture: 'ENTRA-15',
    otherwise: '400 `noTarget`',
  },
  removalsByValue: {
    why: 'Entra, authentik and JumpCloud name the members to remove in `value`; RFC 7644 §3.5.2.2 gives that no meaning.',
    fixture: 'ENTRA-67',
    otherwise: '400 `invalidValue`',
  },
  readOnlyInValues: {
    why: 'Okta and authentik repeat `id` and `schemas` in a path-less PATCH.',
    fixture: 'OKTA-25',
    otherwise: '400 `mutability`',
  },
  unknownNames: {
    why: 'Entra and OneLogin send attributes and schemas that nobody here knows, Okta a password: they are left out.',
    fixture: 'ENTRA-60',
    otherwise: '400 `invalidSyntax`, in a path `invalidPath`',
  },
  olderNames: {
    why: "OneLogin's templates name schemas and the manager as SCIM 1.1 and its drafts did.",
    fixture: 'OL-X2',
    otherwise: '400 `invalidSyntax`',
  },
  shortExtensionNames: {
    why: 'Entra\'s reference check filters by `manager eq "…"` without the URN of the extension.',
    fixture: 'ENTRA-X2',
    otherwise: '400 `invalidFilter`, in a path `invalidPath`',
  },
  bareFilterValues: {
    why: "authentik 2025.8 and Microsoft's Postman collection leave out the quotes of a text.",
    fixture: 'AK-X2',
    otherwise: '400 `invalidFilter`',
  },
  subAttributesOfElements: {
    why: 'Entra filters by `emails[type eq "work"].value eq "…"`, which the grammar of RFC 7644 does not have.',
    fixture: 'ENTRA-06',
    otherwise: '400 `invalidFilter`',
  },
} as const satisfies Record<string, LeniencyFacts>;

export type Leniency = keyof typeof leniencies;
export type Leniencies = ReadonlySet<Leniency>;

export const everyLeniency: Leniencies = new Set(Object.keys(leniencies) as Leniency[]);
export const noLeniency: Leniencies = new Set();
