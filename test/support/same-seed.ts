/** The usual run looks at the same random cases each time, so that it fails for what was changed; with FUZZ_RUNS others are looked for. */

import fc from 'fast-check';

if (process.env.FUZZ_RUNS === undefined) fc.configureGlobal({ seed: 1 });
