/**
 * Loaded before anything else: says what to do where the runtime is too old to read the code (it runs on any Node), and
 * keeps what was compiled for the next start.
 */

import module from 'node:module';
import { fileURLToPath } from 'node:url';

const oldest = 24;
if (Number(process.versions.node.split('.')[0]) < oldest) {
  process.stderr.write(
    `Blue Gateway needs Node ${oldest} or newer, this is ${process.versions.node}. ` +
      'On Linux x64 and arm64 "npm ci" brings it along: install without --omit=optional, or put a newer Node in the path.\n',
  );
  process.exit(78);
}
// Beside what it was compiled from: nobody else may write there. Where we may not either, it stays as it was. A check writes nothing.
if (!process.argv.includes('--check'))
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)));
