import tseslint from 'typescript-eslint';

/** Ambient time, randomness and timers: allowed only at the edges (STYLE.md), injected everywhere else. */
const ambient = [
  { object: 'Date', property: 'now', message: 'Take the time from a Clock.' },
  { object: 'Math', property: 'random', message: 'Take randomness as an argument.' },
  { object: 'performance', property: 'now', message: 'Take the time from a Clock.' },
];

const timers = ['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
  name,
  message: 'Sleep on a Clock.',
}));

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'bench/results/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'max-params': ['error', { max: 4 }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/core/**/*.ts', 'src/api/**/*.ts', 'src/controllers/**/*.ts', 'src/sim/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-properties': ['error', ...ambient],
      'no-restricted-globals': ['error', ...timers, { name: 'process', message: 'Only main.ts touches the process.' }],
    },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts', 'bench/**/*.ts', 'tools/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // node:test's describe/it return promises that the runner awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['describe', 'it', 'test', 'suite'] },
          ],
        },
      ],
    },
  },
);
