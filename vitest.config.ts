import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**'],
    // One simulated world runs at a time in a process (ARCHITECTURE.md, "Virtual time"), so files get processes of their own.
    pool: 'forks',
    testTimeout: 60_000,
  },
});
