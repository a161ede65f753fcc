/** The arrows of ARCHITECTURE.md. A wall stands here for a reason: know the reason before you move it. */
const layer = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(core|hal|boards|sim|tools|test)/', pathNot: allowed },
});
const noNode = (name, from) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '^hal/node/' },
  to: { dependencyTypes: ['core'] },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    // What the launcher imports exists once it is built.
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: 'dist/cli\\.js$' } },
    layer('core-arrows', '^core/', '^(core/|hal/(hal|board)\\.ts$|hal/base/)'),
    layer('hal-contract-has-no-behaviour', '^hal/[^/]+\\.ts$', '^hal/[^/]+\\.ts$'),
    layer('hal-base-arrows', '^hal/base/', '^hal/([^/]+\\.ts$|base/)'),
    layer('hal-stack-arrows', '^hal/stack/', '^hal/([^/]+\\.ts$|base/|stack/)'),
    layer('hal-layers-arrows', '^hal/layers/', '^hal/([^/]+\\.ts$|base/|layers/)'),
    layer('hal-node-arrows', '^hal/node/', '^hal/([^/]+\\.ts$|base/|node/)'),
    layer('hal-conformance-arrows', '^hal/conformance/', '^hal/([^/]+\\.ts$|base/|conformance/)'),
    layer('boards-are-data', '^boards/', '^(boards/|hal/[^/]+\\.ts$)'),
    layer('sim-arrows', '^sim/', '^(sim/|core/|boards/|hal/([^/]+\\.ts$|base/|stack/|layers/))'),
    noNode('platform-free', '^(core|hal|boards|sim)/'),
    {
      name: 'one-importer-of-forge',
      severity: 'error',
      from: { pathNot: '^core/certs/(asn1|block-cipher)\\.ts$' },
      to: { path: 'node_modules/node-forge' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.build.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
