import { readFileSync } from 'node:fs';

/** The order of the features, read from the list that the application itself documents. */
const source = readFileSync(new URL('./src/app/features.ts', import.meta.url), 'utf8');
const features = [...source.matchAll(/^ {2}'([a-z-]+)',$/gm)].map(([, name]) => name);

const later = features.map((name, index) => ({
  name: `feature-order-${name}`,
  comment: `${name} may import only features that stand before it in app/features.ts`,
  severity: 'error',
  from: { path: `^src/features/${name}/` },
  to: { path: `^src/features/(${features.slice(index + 1).join('|') || 'none'})/` },
}));

const only = (name, what, where) => ({
  name,
  comment: `${what} belongs to ${where}`,
  severity: 'error',
  from: { path: '^src/', pathNot: [where, '\\.spec\\.ts$', '\\.contract\\.ts$'] },
  to: { path: `node_modules/(${what})/` },
});

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { pathNot: 'node_modules' } } },
    {
      name: 'kernel-is-pure',
      severity: 'error',
      from: { path: '^src/kernel/', pathNot: '\\.spec\\.ts$' },
      to: { path: ['^src/(platform|features|app|cli)', 'node_modules/(?!(uuid|zod|@types/node)/)'] },
    },
    {
      name: 'platform-knows-no-feature',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/(features|app|cli)' },
    },
    {
      name: 'features-know-no-app',
      severity: 'error',
      from: { path: '^src/features/' },
      to: { path: '^src/(app|cli)' },
    },
    {
      name: 'features-through-their-index',
      severity: 'error',
      from: { path: '^src/features/([^/]+)/' },
      to: { path: '^src/features/([^/]+)/', pathNot: ['^src/features/$1/', '^src/features/[^/]+/index\\.ts$'] },
    },
    {
      name: 'platform-through-its-index',
      severity: 'error',
      from: { path: '^src/(features|app|cli)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/platform/', pathNot: '^src/platform/[^/]+/index\\.ts$' },
    },
    {
      name: 'domain-imports-only-kernel',
      severity: 'error',
      from: { path: '^src/features/([^/]+)/domain/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: ['^src/', 'node_modules/(?!(zod|@types/node)/)'],
        pathNot: ['^src/kernel/', '^src/features/$1/domain/'],
      },
    },
    {
      name: 'controllers-see-no-persistence',
      severity: 'error',
      from: { path: '^src/features/[^/]+/http/' },
      to: { path: '/persistence/' },
    },
    ...later,
    only('typeorm-in-persistence', 'typeorm', '^src/(platform/db|features/[^/]+/persistence)/'),
    only('bullmq-in-platform', 'bullmq|ioredis', '^src/platform/(jobs|shared-state)/'),
    {
      name: 'no-tests-in-code',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(spec|contract)\\.ts$' },
      to: { path: ['^test/', '\\.(spec|contract)\\.ts$'] },
    },
    {
      name: 'no-undeclared-dependency',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(spec|contract)\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
