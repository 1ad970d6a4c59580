/** What a tenant has chosen. */

export interface Settings {
  /** Unknown members of groups wait for their people instead of being refused. */
  parking: boolean;
  /** How long calls of identity providers stay recorded. */
  requestRetentionDays: number;
}

/** Of a tenant that has chosen nothing; the table's columns have the same. */
export const defaultSettings: Settings = { parking: false, requestRetentionDays: 30 };
