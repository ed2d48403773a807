import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { vector } from '@electric-sql/pglite-pgvector';
import pg from 'pg';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { MIGRATIONS } from '../../migrations/index.js';
import { loadSettings } from '../../src/kernel/settings.js';
import { SystemIds } from '../../src/kernel/ids.js';
import {
  applyConnectionSettings,
  createDataSource,
  dbSettings,
  Migrator,
  openDatabase,
  UnitOfWork,
} from '../../src/platform/db/index.js';
import { testDatabaseUrl } from './services.js';

type Entities = readonly (new () => object)[];

/** A migrated, empty database of its own, and everything that works on it. */
export interface TestDatabase {
  readonly uow: UnitOfWork;
  readonly dataSource: DataSource;
  /** Undefined for the embedded database, which only this process can open. */
  readonly url: string | undefined;
  close(): Promise<void>;
}

/** One per spec file, made in `beforeAll`: about 0.5 s each. Tests keep apart by using a tenant each. */
export async function testDatabase(entities: Entities = []): Promise<TestDatabase> {
  return testDatabaseUrl === undefined ? embedded(entities) : onServer(testDatabaseUrl, entities);
}

function templateFolder(): string {
  const folder = process.env['NEXUSRAG_TEST_TEMPLATE'];
  if (folder === undefined) throw new Error('Run database suites in a jest project that has the global setup.');
  return folder;
}

// --- embedded: the template is a dumped data directory -------------------------------------------------------

async function embedded(entities: Entities): Promise<TestDatabase> {
  const image = await templateImage(templateFolder());
  const pglite = await PGlite.create({ loadDataDir: new Blob([image]), extensions: { vector } });
  const dataSource = await sourceOf(pglite, entities);
  return {
    uow: new UnitOfWork(dataSource),
    dataSource,
    url: undefined,
    close: async () => {
      await dataSource.destroy();
      await pglite.close();
    },
  };
}

/** Made by whichever test process comes first; the others wait for it. */
async function templateImage(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = join(folder, 'template.tar');
  const failure = join(folder, 'failed');
  const first = await mkdir(join(folder, 'lock')).then(
    () => true,
    () => false,
  );
  if (first) {
    try {
      await writeFile(`${file}.part`, await makeTemplate());
      await rename(`${file}.part`, file);
    } catch (error) {
      await writeFile(failure, String(error));
      throw error;
    }
  }
  while (!existsSync(file)) {
    if (existsSync(failure)) throw new Error(`The template failed: ${await readFile(failure, 'utf8')}`);
    await sleep(25);
  }
  return new Uint8Array(await readFile(file));
}

async function makeTemplate(): Promise<Uint8Array> {
  const pglite = await PGlite.create({ extensions: { vector } });
  const dataSource = await sourceOf(pglite, []);
  await new Migrator(dataSource).up();
  const dump = await pglite.dumpDataDir('none');
  await dataSource.destroy();
  await pglite.close();
  return new Uint8Array(await dump.arrayBuffer());
}

async function sourceOf(pglite: PGlite, entities: Entities): Promise<DataSource> {
  const options = {
    type: 'postgres',
    synchronize: false,
    installExtensions: false,
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
    entities: [...entities],
    migrations: [...MIGRATIONS],
    poolSize: 1,
    extra: createPgConfig(pglite),
  };
  const dataSource = await createDataSource(options as DataSourceOptions).initialize();
  await applyConnectionSettings(dataSource);
  return dataSource;
}

// --- server: the template is a database ---------------------------------------------------------------------

async function onServer(serverUrl: string, entities: Entities): Promise<TestDatabase> {
  const template = basename(templateFolder()).toLowerCase().replaceAll('-', '_');
  const name = `${template}_${new SystemIds().opaque().replaceAll('-', '').slice(0, 12)}`;
  await administer(serverUrl, async (admin) => {
    await ensureTemplate(admin, serverUrl, template);
    await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE ${pg.escapeIdentifier(template)}`);
  });
  const url = withDatabase(serverUrl, name);
  const { dataSource, close } = await open(url, entities);
  return {
    uow: new UnitOfWork(dataSource),
    dataSource,
    url,
    close: async () => {
      await close();
      await administer(serverUrl, (admin) =>
        admin.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`),
      );
    },
  };
}

/** The lock also keeps runs on one server apart: they share its roles. */
async function ensureTemplate(admin: pg.Client, serverUrl: string, template: string): Promise<void> {
  await admin.query(`SELECT pg_advisory_lock(hashtext('nexusrag.test-template'))`);
  try {
    const { rows } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [template]);
    if (rows.length > 0) return;
    const building = `${template}_building`;
    await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(building)}`);
    const { dataSource, close } = await open(withDatabase(serverUrl, building), []);
    await new Migrator(dataSource).up().finally(close);
    await admin.query(`ALTER DATABASE ${pg.escapeIdentifier(building)} RENAME TO ${pg.escapeIdentifier(template)}`);
  } finally {
    await admin.query(`SELECT pg_advisory_unlock(hashtext('nexusrag.test-template'))`);
  }
}

function open(url: string, entities: Entities): ReturnType<typeof openDatabase> {
  const settings = loadSettings({ DATABASE_URL: url }, [dbSettings]).get(dbSettings);
  return openDatabase(settings, { entities, migrations: MIGRATIONS });
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function administer(serverUrl: string, work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client(serverUrl);
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}
