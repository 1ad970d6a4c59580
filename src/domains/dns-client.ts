/** Asks the DNS for TXT records (RFC 1035 §3.3.14). */

import { lookup, Resolver } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { limits } from '../kernel/limits.ts';

/** silent: nobody answered, which says nothing of the records. */
export type TextAnswer = { kind: 'records'; values: string[] } | { kind: 'silent'; detail: string };

export type TextRecords = (name: string) => Promise<TextAnswer>;

/** @param server Who is asked; undefined: the system's name servers. */
export function textRecordsOf(server: { host: string; port: number } | undefined): TextRecords {
  return async (name) => {
    try {
      const resolver = new Resolver({ timeout: limits.dnsTryMsMax, tries: limits.dnsTriesMax });
      if (server !== undefined) resolver.setServers([await addressOf(server)]);
      const over = setTimeout(() => resolver.cancel(), limits.dnsMsMax);
      const records = await resolver.resolveTxt(name).finally(() => clearTimeout(over));
      return {
        kind: 'records',
        values: records.slice(0, limits.dnsRecordsMax).map((parts) => parts.join('')),
      };
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      if (code === 'ENOTFOUND' || code === 'ENODATA') return { kind: 'records', values: [] };
      return { kind: 'silent', detail: code };
    }
  };
}

async function addressOf({ host, port }: { host: string; port: number }): Promise<string> {
  const { address } = await lookup(host);
  return `${isIPv6(address) ? `[${address}]` : address}:${port}`;
}
