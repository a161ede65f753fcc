import { defineConfig } from 'vitest/config';

/** Against programs that Belfry did not write: real ports, real time, so one file at a time. */
export default defineConfig({
  test: {
    root: '.',
    include: ['test/interop/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
