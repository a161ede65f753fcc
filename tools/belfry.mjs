#!/usr/bin/env node
// The package's bin. In a checkout it first installs and builds what is missing (ready.mjs); installed from the tarball it only runs.
import './ready.mjs';

await import('../dist/cli.js');
