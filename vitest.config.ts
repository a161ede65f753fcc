import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**'],
    // One simulated world runs at a time in a process (ARCHITECTURE.md, "Virtual time"), so files get processes of their own.
    pool: 'forks',
    maxWorkers: '100%',
    // Only a test that hangs meets it: none measures time, and machines are busy.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
