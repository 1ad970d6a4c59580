/** What a tenant has chosen. */

import type { Approval, SeatOrder, Settlement } from '../licensing/mapping.ts';

export interface Settings {
  /** Of people whom no mapping names, in the default workspaces; `none`: nothing. */
  defaultRole: string;
  order: SeatOrder;
  settlement: Settlement;
  /** How long a place is kept for somebody whom a directory moves; 0: not at all. */
  holdMinutes: number;
  /** How long places are kept for the members of a mapped group that was deleted. */
  tombstoneHours: number;
  /** Order `strict`: how long somebody is told before the seat goes to a better claim. */
  noticeHours: number;
  /** A change that takes or frees more of the seats than this, and concerns as many people, is asked about; null: none is. */
  breaker: { percent: number; people: number } | null;
  /** Holders who have not been seen for so many days are asked whether they need the seat; null: nobody is. */
  reclaimDays: number | null;
  /** By role, whether somebody gives its seats: of claims by mappings that say nothing of it. */
  approvals: Readonly<Record<string, Approval>>;
  twoPersonRule: boolean;
  /** Unknown members of groups wait for their people instead of being refused. */
  parking: boolean;
  /** userNames or addresses of people who are left alone. */
  exclusions: string[];
  /** How long calls of identity providers stay recorded. */
  requestRetentionDays: number;
}

/** Of a tenant that has chosen nothing; the table's columns have the same. */
export const defaultSettings: Settings = {
  defaultRole: 'none',
  order: 'sticky',
  settlement: 'immediate',
  holdMinutes: 60,
  tombstoneHours: 72,
  noticeHours: 24,
  breaker: { percent: 10, people: 20 },
  reclaimDays: null,
  approvals: {},
  twoPersonRule: false,
  parking: false,
  exclusions: [],
  requestRetentionDays: 30,
};
