import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { INestApplicationContext } from '@nestjs/common';
import { ApiKeys } from '../features/auth/index.js';
import { Tenants } from '../features/tenants/index.js';
import { runInContext, systemContext } from '../kernel/context.js';
import { isAppError } from '../kernel/errors.js';
import { Migrator, type DataFolder } from '../platform/db/index.js';
import { demoTarget } from './demo/demo-target.js';
import { DEMO_TENANT, seedDemo } from './demo/seed-demo.js';
import type { Infrastructure } from './infrastructure.js';
import { MigrationsPending } from './start-fault.js';

/**
 * The embedded database belongs to one process, which may bring it up to date. A database that others use changes
 * only when its operator says so.
 *
 * @throws MigrationsPending
 */
export async function ensureSchema({ database }: Infrastructure): Promise<void> {
  const migrator = new Migrator(database.dataSource);
  if (database.embedded) {
    await migrator.up();
    return;
  }
  const pending = await migrator.pending();
  if (pending.length > 0) throw new MigrationsPending(pending);
}

export interface Bootstrapped {
  readonly keyPath: string;
  /** The admin key's token, when this start made it. */
  readonly newKey?: string;
  /** Why the demo documents are not there, if they are not. */
  readonly seedFault?: string;
}

/**
 * Gives an installation the demo tenant, its corpus and an admin key in the data folder, unless they are there. A
 * demo that cannot be seeded, as when the embedding provider is away, does not keep the server from starting.
 */
export async function bootstrap(
  app: INestApplicationContext,
  infrastructure: Infrastructure,
  folder: DataFolder,
): Promise<Bootstrapped> {
  await app.get(Tenants, { strict: false }).ensure(DEMO_TENANT);
  const seedFault = await seed(app, infrastructure);
  const newKey = await ensureDemoKey(app, infrastructure, folder.demoKeyPath);
  return {
    keyPath: folder.demoKeyPath,
    ...(newKey === undefined ? {} : { newKey }),
    ...(seedFault === undefined ? {} : { seedFault }),
  };
}

async function seed(app: INestApplicationContext, infrastructure: Infrastructure): Promise<string | undefined> {
  try {
    await seedDemo(demoTarget(app, infrastructure));
    return undefined;
  } catch (error) {
    infrastructure.logger.warn({ err: error }, 'the demo documents could not be added');
    return isAppError(error) ? `${error.code}: ${error.message}` : 'the log says why';
  }
}

/** @returns the token of a key that was made; undefined when the file's key is known to the database. */
async function ensureDemoKey(
  app: INestApplicationContext,
  { ids }: Infrastructure,
  path: string,
): Promise<string | undefined> {
  const keys = app.get(ApiKeys, { strict: false });
  return runInContext(systemContext(ids.uuid(), DEMO_TENANT), async () => {
    if (existsSync(path)) {
      const id = readFileSync(path, 'utf8').split('_')[1] ?? '';
      if ((await keys.tenantOf(id)) !== undefined) return undefined;
      // The database was deleted and the file stayed: its key would only ever be refused.
      rmSync(path);
    }
    const { token } = await keys.create({ role: 'admin', name: 'demo-admin' });
    writeFileSync(path, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return token;
  });
}
