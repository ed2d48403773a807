/**
 * `npm test`: the build, then every suite, cheapest first. Needs nothing but Node: without TEST_DATABASE_URL and
 * TEST_REDIS_URL the suites run on the embedded database. Arguments go to jest.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const run = (title, command, args) => {
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`✗ ${title}`);
    process.exit(status ?? 1);
  }
  console.log(`✓ ${title} (${((performance.now() - started) / 1000).toFixed(0)} s)`);
};

if (!existsSync('node_modules')) run('install', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
run('build', 'npm', ['run', '--silent', 'build']);
run('tests', process.execPath, [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  '--maxWorkers=2',
  // Modules that were loaded as ESM are never freed: a worker that has grown starts anew.
  '--workerIdleMemoryLimit=1500MB',
  ...process.argv.slice(2),
]);
