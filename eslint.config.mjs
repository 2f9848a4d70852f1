import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import docstrings from './tools/lint/docstrings.mjs';

/**
 * Which room may import which: the table of docs/architecture.md. The key is a project's `room:` tag, the value the
 * rooms it may import. The core does no I/O; the domain names ports and the adapters fill them; the edge and the command
 * line are ordinary clients.
 */
const ROOMS = {
  'rpc-protos': [],
  contract: ['rpc-protos'],
  'token-core': [],
  'grpc-kit': ['rpc-protos'],
  ledger: [],
  domain: ['ledger', 'token-core'],
  storage: ['domain', 'ledger', 'program'],
  telemetry: [],
  'protobuf-writer': [],
  'telemetry-sdk': ['program', 'protobuf-writer', 'telemetry'],
  program: [],
  'dev-certificates': [],
  'otlp-receiver': [],
  'config-document': ['contract', 'program'],
  client: ['contract', 'grpc-kit', 'rpc-protos', 'telemetry'],
  testkit: ['domain', 'program', 'token-core'],
  server: [
    'config-document',
    'contract',
    'domain',
    'grpc-kit',
    'protobuf-writer',
    'rpc-protos',
    'program',
    'storage',
    'telemetry',
    'telemetry-sdk',
    'token-core',
  ],
  cli: [
    'client',
    'config-document',
    'contract',
    'dev-certificates',
    'grpc-kit',
    'ledger',
    'program',
    'rpc-protos',
    'telemetry',
    'telemetry-sdk',
  ],
  edge: ['client', 'contract', 'program', 'telemetry', 'telemetry-sdk', 'token-core'],
  sandbox: [
    'client',
    'config-document',
    'contract',
    'dev-certificates',
    'edge',
    'grpc-kit',
    'otlp-receiver',
    'program',
    'server',
    'telemetry',
    'telemetry-sdk',
  ],
  tool: ['client', 'contract', 'dev-certificates', 'grpc-kit', 'rpc-protos', 'testkit', 'token-core'],
  e2e: [
    'client',
    'contract',
    'dev-certificates',
    'grpc-kit',
    'otlp-receiver',
    'rpc-protos',
    'testkit',
    'tool',
  ],
};

/** Rooms that tests may import besides. Code that ships never imports these. */
const FOR_TESTS = ['testkit', 'otlp-receiver', 'client', 'dev-certificates'];

const boundaries = (mayAlso) => [
  'error',
  {
    enforceBuildableLibDependency: true,
    // The names of a project's own `imports`.
    allow: ['#threads'],
    depConstraints: Object.entries(ROOMS).map(([room, may]) => ({
      sourceTag: `room:${room}`,
      onlyDependOnLibsWithTags: [...new Set([room, ...may, ...mayAlso])].map((name) => `room:${name}`),
    })),
  },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/gen/**', '**/node_modules/**', '.nx/**', 'artifacts/**', '**/stranger/**'] },
  js.configs.recommended,
  { plugins: { docstrings }, rules: { 'docstrings/opening': 'error' } },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': boundaries([]),
      // A default would hide the place that a new member of a closed set has to change.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { allowDefaultCaseForExhaustiveSwitch: false },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
      '@typescript-eslint/require-await': 'off',
      'max-lines': ['warn', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['**/*.spec.ts', '**/*.e2e.ts', '**/src/testing/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries(FOR_TESTS),
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'max-lines': 'off',
    },
  },
);
