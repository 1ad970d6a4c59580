/** The head of a recording: what its tenant needs before it is played, and how it ends for each person. */

export interface Story {
  about: string[];
  tenant: {
    contract: { paidSeats: number; policy: 'queue'; fallbackRole: string; note: string };
    /** All of both recordings. Workspaces go by their name in Blue. */
    mappings: { priority: number; group: { displayName: string }; role: string; workspace: string }[];
    directory: 'okta' | 'entra';
    /** Recordings that must have been played in the same tenant. */
    before: string[];
    people: string;
  };
  /** Of the tenant at the end of the recording. */
  seats: { held: number; onHold: number; queued: number; free: number };
  ends: Ending[];
}

export interface Ending {
  userName: string;
  active: boolean;
  seat: 'none' | 'held' | 'queued';
  /** In the queue, from 1. */
  position?: number;
  /** The effective role, null for none; with a queued seat the fallback. */
  role: string | null;
  workspace?: string;
  /** What the groups ask for, where the effective role is another. */
  requested?: string;
  why: string;
}
