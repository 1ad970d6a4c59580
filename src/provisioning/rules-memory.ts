/**
 * Contract and rules of tenants as this process read them last, each with its revision. It knows no database: the pool's row
 * tells which revision holds, so that nothing here is ever taken for newer than it is.
 */

import type { TenantId } from '../kernel/ids.ts';
import type { SubPoolDraft } from '../licensing/sub-pool.ts';
import type { Pool } from './pool.ts';

export interface KnownRules extends Pick<Pool, 'contract' | 'rules'> {
  subPools: readonly SubPoolDraft[];
}

export class RulesMemory {
  /** Least lately used first. */
  readonly #known = new Map<TenantId, { revision: string; rules: KnownRules; size: number }>();
  readonly #sizeMax: number;
  #size = 0;

  /** @param sizeMax Mappings that are remembered, of all tenants together. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get(tenantId: TenantId, revision: string): KnownRules | undefined {
    const known = this.#known.get(tenantId);
    if (known === undefined || known.revision !== revision) return undefined;
    this.#known.delete(tenantId);
    this.#known.set(tenantId, known);
    return known.rules;
  }

  set(tenantId: TenantId, revision: string, rules: KnownRules): void {
    this.#forget(tenantId);
    const size = rules.rules.mappings.length + 1;
    this.#known.set(tenantId, { revision, rules, size });
    this.#size += size;
    for (const oldest of this.#known.keys()) {
      if (this.#size <= this.#sizeMax) return;
      this.#forget(oldest);
    }
  }

  #forget(tenantId: TenantId): void {
    this.#size -= this.#known.get(tenantId)?.size ?? 0;
    this.#known.delete(tenantId);
  }
}
