import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/same-seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // On two processors: many tests wait, for clocks, retries and processes.
    maxWorkers: 3,
    // The files of a worker share what they import: reading all of it again for each took a quarter of the time. So a test leaves
    // nothing in a module, and mocks none.
    isolate: false,
    // As `npm start` does, for the processes that tests start.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compiled') },
  },
});
