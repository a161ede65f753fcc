/** Bundles the long run, so that plain Node runs it at full speed. */
import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['test/fuzz/main.ts'],
  outDir: '.tsbuild/fuzz',
  format: 'esm',
  target: 'node20',
  platform: 'node',
  tsconfig: 'test/tsconfig.json',
  clean: true,
  silent: true,
  sourcemap: true,
});
