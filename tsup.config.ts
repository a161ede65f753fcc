import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    belfry: 'core/index.ts',
    hal: 'hal/hal.ts',
    'hal/node': 'hal/node/index.ts',
    'hal/stack': 'hal/stack/index.ts',
    'hal/layers': 'hal/layers/index.ts',
    'hal/conformance': 'hal/conformance/index.ts',
    boards: 'boards/index.ts',
    sim: 'sim/index.ts',
    cli: 'tools/cli.ts',
  },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  tsconfig: 'tsconfig.build.json',
  // Declarations double the build time; only the tarball needs them (`npm run build:types`).
  dts: process.env['BELFRY_DTS'] === '1',
  splitting: true,
  sourcemap: true,
});
