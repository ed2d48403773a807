/**
 * `npm run crash -- [--schedules 200] [--seed N] [--first 0]`: kills processes and services at random moments and
 * checks what must hold whatever dies. Prints the seed; a schedule that breaks something is run again with
 * `--seed N --first <its number> --schedules 1`. Needs the build, and the Postgres and Redis of scripts/services.sh.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { schedules: { type: 'string' }, seed: { type: 'string' }, first: { type: 'string' } },
});
const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--selectProjects=acceptance',
    '--runInBand',
    'test/acceptance/crash/schedules.spec.ts',
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      // The suite has services of its own; these only say that it may.
      TEST_DATABASE_URL: process.env.TEST_DATABASE_URL ?? 'own',
      TEST_REDIS_URL: process.env.TEST_REDIS_URL ?? 'own',
      CRASH_SCHEDULES: values.schedules ?? '200',
      ...(values.seed === undefined ? {} : { CRASH_SEED: values.seed }),
      ...(values.first === undefined ? {} : { CRASH_FIRST: values.first }),
    },
  },
);
process.exit(status ?? 1);
