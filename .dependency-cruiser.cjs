/** Module boundaries of DESIGN.md section 5. `npm run check` fails on any violation. */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-is-pure',
      comment:
        'core/ imports core/, the API constants and types, and one calendar library: no I/O, no clock, no logger.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^src/core/', '^src/api/v1alpha1/', 'node_modules/temporal-'] },
    },
    {
      name: 'core-needs-no-zod',
      comment: 'From api/ the core takes types and constants only; schemas load zod.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/api/', pathNot: '^src/api/v1alpha1/constants/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'api-stands-alone',
      severity: 'error',
      from: { path: '^src/api/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/', pathNot: '^src/api/' },
    },
    {
      name: 'kube-knows-no-gpus',
      severity: 'error',
      from: { path: '^src/kube/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/', pathNot: '^src/kube/' },
    },
    {
      name: 'observe-is-a-leaf',
      severity: 'error',
      from: { path: '^src/observe/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/(controllers|sim|cli|ledger)/' },
    },
    {
      name: 'through-the-index',
      comment: 'A folder is imported through its index.ts by other folders.',
      severity: 'error',
      from: { path: '^src/([^/]+/[^/]+)/', pathNot: ['\\.test\\.ts$', '/testing\\.ts$'] },
      to: { path: '^src/core/[^/]+/', pathNot: ['^src/$1/', '^src/core/[^/]+/index\\.ts$'] },
    },
    {
      name: 'kube-through-the-index',
      severity: 'error',
      from: { path: '^(src/(?!kube/)|tools/|bench/)', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/kube/', pathNot: '^src/kube/index\\.ts$' },
    },
    {
      name: 'controllers-through-the-index',
      comment:
        'The folders of src/controllers/ meet through their index.ts only. An index reaches all files of its folder, so no-cycles holds between the folders as well.',
      severity: 'error',
      from: { path: '^src/controllers/([^/]+)', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/controllers/[^/]+/', pathNot: ['^src/controllers/$1/', '^src/controllers/[^/]+/index\\.ts$'] },
    },
    {
      name: 'controllers-from-one-place',
      comment: 'src/controllers/index.ts says what the rest of the program may use of them.',
      severity: 'error',
      from: { path: '^(src|tools|bench)/', pathNot: ['^src/controllers/', '\\.test\\.ts$'] },
      to: { path: '^src/controllers/', pathNot: '^src/controllers/index\\.ts$' },
    },
    {
      name: 'sources-need-no-tools',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(tools|test|bench)/' },
    },
    {
      name: 'tracing-in-one-place',
      comment: 'Who wants no traces does not load the libraries for them.',
      severity: 'error',
      from: { path: '^(src|bench|tools)/', pathNot: '^src/observe/otlp\\.ts$' },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    {
      name: 'tracing-only-when-asked-for',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/observe/otlp\\.ts$', dependencyTypesNot: ['dynamic-import', 'type-only'] },
    },
    {
      name: 'no-dev-dependency-at-run-time',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
