/**
 * A stand-in for Blue that people and tests can start: a real GraphQL executor over a schema file written from
 * Blue's API documentation, with its state in memory. It is a test instrument and refuses to know the gateway.
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { blueError } from './errors.ts';
import { Faults } from './faults.ts';
import { answer, type Desk, type LoggedRequest } from './http.ts';
import { RateWindow } from './rate.ts';
import type { AccessLevel, BlueSeed, PendingInvitation, Person } from './types.ts';
import { World } from './world.ts';

export type { BlueSeed } from './types.ts';

export interface BlueDoubleOptions {
  port?: number;
  host?: string;
  seed: BlueSeed;
  clock?: Clock;
}

export interface MemberRow {
  readonly userId: string;
  readonly email: string;
  readonly level: AccessLevel;
  /** The custom role's name. */
  readonly customRole: string | null;
}

/** What a test sees and does behind Blue's back. */
export class BlueState {
  readonly faults: Faults;
  readonly world: World;
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.faults = desk.faults;
    this.world = desk.world;
  }

  /**
   * The invitee accepts: one invitation by its id, or all live ones of an address. The new member's organization level
   * is not documented; here it is the invitation's.
   * @throws INVITATION_NOT_FOUND, INVITATION_EXPIRED
   */
  accept(idOrEmail: string): Person {
    const matching = this.world.invitations.filter(
      ({ id, email }) => id === idOrEmail || email === idOrEmail.toLowerCase(),
    );
    if (matching.length === 0) throw blueError('INVITATION_NOT_FOUND');
    const live = matching.filter(({ expiredAt }) => expiredAt > this.world.now());
    const [one] = live;
    if (one === undefined) throw blueError('INVITATION_EXPIRED');
    const person = this.world.personByEmail(one.email) ?? this.#signUp(one.email);
    person.companyLevel ??= one.level;
    for (const { workspaceId, level, roleId } of live) this.#join(person, workspaceId, level, roleId);
    return person;
  }

  /** The person with this address uses Blue. */
  use(email: string, at: Date = this.world.now()): void {
    const person = this.world.personByEmail(email);
    if (person === undefined) throw blueError('USER_NOT_FOUND');
    person.lastActiveAt = at;
  }

  members(workspaceId: string): MemberRow[] {
    const roles = this.world.workspace(workspaceId)?.customRoles ?? [];
    return this.world.memberships
      .filter((row) => row.workspaceId === workspaceId)
      .map(({ userId, level, roleId }) => ({
        userId,
        email: this.world.people.get(userId)?.email ?? '',
        level,
        customRole: roles.find(({ id }) => id === roleId)?.name ?? null,
      }));
  }

  invitations(): readonly PendingInvitation[] {
    return this.world.invitations;
  }

  /** People with a paid role in any workspace, the organization's owner among them. */
  paidPeople(): number {
    return this.world.paidPeople().size;
  }

  /** The same and the addresses that wait with a live paid invitation. */
  paidPeopleAndInvited(): number {
    return this.world.paidPeople().size + this.world.paidInvited().size;
  }

  requests(): readonly LoggedRequest[] {
    return this.#desk.log;
  }

  ban(isBanned: boolean): void {
    this.world.organization.isBanned = isBanned;
  }

  expireToken(uid: string, at: Date | null): void {
    const token = this.world.tokens.find((one) => one.uid === uid);
    if (token !== undefined) token.expiredAt = at;
  }

  setUserLimit(limit: number | null): void {
    this.world.organization.userLimit = limit;
  }

  answerUnauthenticatedWith(status: 200 | 401): void {
    this.#desk.unauthenticatedStatus = status;
  }

  #signUp(email: string): Person {
    const id = this.world.nextId('user');
    const [firstName = email] = email.split('@');
    const person: Person = {
      id,
      email,
      firstName,
      lastName: 'Invited',
      isAgent: false,
      lastActiveAt: null,
      companyLevel: null,
      createdAt: this.world.now(),
    };
    this.world.people.set(id, person);
    return person;
  }

  #join(person: Person, workspaceId: string, level: AccessLevel, roleId: string | null): void {
    this.world.join(person.id, workspaceId, level, roleId);
    const place = { byId: person.id, inviteeEmail: person.email, workspaceId };
    this.world.record({ category: 'ACCEPT_INVITATION', ...place });
  }
}

export interface BlueDouble {
  /** Where the GraphQL endpoint is. */
  readonly url: string;
  readonly state: BlueState;
  /** Stops listening and drops open connections; `reopen` listens on the same port with the same state. */
  close(): Promise<void>;
  reopen(): Promise<void>;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Starts a Blue double on loopback; `port` 0 (the default) takes a free one. */
export async function startBlueDouble(options: BlueDoubleOptions): Promise<BlueDouble> {
  const { port = 0, host = '127.0.0.1', seed, clock = systemClock } = options;
  const desk: Desk = {
    world: new World(seed, () => clock.now()),
    faults: new Faults(),
    rate: new RateWindow(seed.rate),
    log: [],
    unauthenticatedStatus: 200,
  };
  const open = () =>
    createServer((request, response) => {
      answer(desk, request, response).catch((error) => response.destroy(error));
    });
  let server = open();
  const bound = await listen(server, port, host);
  return {
    url: `http://${host}:${bound}/graphql`,
    state: new BlueState(desk),
    close: () => stop(server),
    reopen: async () => {
      server = open();
      await listen(server, bound, host);
    },
  };
}
