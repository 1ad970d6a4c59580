/** A role that an administrator gave to a person by hand: it stands in place of what mappings say. */

export interface Pin {
  role: string;
  /** null: wherever the person's mappings lead, else the default workspaces. */
  workspaces: readonly string[] | null;
  /** It ends then; null: when somebody takes it away. */
  until: Date | null;
  /** Its seat was free when it was set, and is given first. */
  reserved: boolean;
}

/** Of claims by a pin: better than any mapping's. */
export const pinPriority = 0;
/** Of claims by the tenant's default role: worse than any mapping's. */
export const defaultPriority = 1_000_000_000;
