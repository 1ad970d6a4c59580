/** Where a test keeps a PostgreSQL: in memory where there is room, since of every database a thousand files are made. */

import { chmodSync, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
/** The log that it writes ahead may come to 4 GB. */
const bytesNeeded = 8 * 2 ** 30;

/** A new folder, which the account of the server can reach: else, as root, its files would go elsewhere, and stay. */
export function makeDataFolder(name: string, on: 'memory' | 'disk' = 'memory'): string {
  const root = on === 'memory' && hasRoom(memory) ? memory : tmpdir();
  const path = mkdtempSync(join(root, `blue-gateway-${name}-`));
  chmodSync(path, 0o711);
  return path;
}

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= bytesNeeded;
  } catch {
    return false;
  }
}
