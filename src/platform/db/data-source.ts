import { DataSource, type ColumnType, type DataSourceOptions, type MigrationInterface } from 'typeorm';
import { DataFolder } from './data-folder.js';
import { PreparingClient } from './prepared-statements.js';
import type { DbSettings } from './db.settings.js';

/** What the database holds: the entity classes and the migrations that make their tables, oldest first. */
export interface DatabaseSchema {
  readonly entities: readonly (new () => object)[];
  readonly migrations: readonly (new () => MigrationInterface)[];
}

const COMMON = {
  type: 'postgres',
  synchronize: false,
  logging: false,
  installExtensions: false,
  invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
} as const;

const mutable = ({ entities, migrations }: DatabaseSchema): Pick<DataSourceOptions, 'entities' | 'migrations'> => ({
  entities: [...entities],
  migrations: [...migrations],
});

/** An open database and the way to close it. */
export interface OpenDatabase {
  readonly dataSource: DataSource;
  /** True when this process runs the database itself. */
  readonly embedded: boolean;
  close(): Promise<void>;
}

/**
 * pgvector filters after its index scan. With iterative scans it goes on until enough rows pass the filter instead of
 * returning too few. Relaxed order finds more of the nearest than strict order does; the query sorts afterwards.
 */
const CONNECTION_SETTINGS = { 'hnsw.iterative_scan': 'relaxed_order', 'hnsw.ef_search': '200' };

/** Opens Postgres when a URL is given, otherwise the embedded database in the data folder. */
export async function openDatabase(
  settings: DbSettings,
  schema: DatabaseSchema,
  purpose: 'serve' | 'migrate' = 'serve',
): Promise<OpenDatabase> {
  const url = purpose === 'migrate' ? (settings.migrationUrl ?? settings.url) : settings.url;
  return url === undefined ? openEmbedded(settings, schema) : openPostgres(url, settings, schema, purpose);
}

async function openPostgres(
  url: string,
  settings: DbSettings,
  schema: DatabaseSchema,
  purpose: 'serve' | 'migrate',
): Promise<OpenDatabase> {
  const dataSource = createDataSource({
    ...COMMON,
    url,
    ...mutable(schema),
    applicationName: `nexusrag-${purpose}`,
    connectTimeoutMS: 30_000,
    poolSize: purpose === 'migrate' ? 1 : settings.poolSize + settings.maxOverflow,
    extra:
      purpose === 'migrate'
        ? {}
        : {
            statement_timeout: settings.statementTimeoutMs,
            maxLifetimeSeconds: 1800,
            options: startupOptions(),
            ...(settings.preparedStatements ? { Client: PreparingClient } : {}),
          },
  });
  await dataSource.initialize();
  return { dataSource, embedded: false, close: () => dataSource.destroy() };
}

/** PGlite admits one connection, so the pool has one: a unit of work inside another must join it. */
async function openEmbedded(settings: DbSettings, schema: DatabaseSchema): Promise<OpenDatabase> {
  const folder = new DataFolder(settings.dataDir);
  folder.lock();
  try {
    const [{ PGlite }, { vector }, { createPgConfig }] = await Promise.all([
      import('@electric-sql/pglite'),
      import('@electric-sql/pglite-pgvector'),
      import('@electric-sql/pglite/node-postgres'),
    ]);
    const pglite = await PGlite.create(folder.databasePath, { extensions: { vector } });
    const dataSource = createDataSource({
      ...COMMON,
      ...mutable(schema),
      poolSize: 1,
      extra: createPgConfig(pglite),
    });
    await dataSource.initialize();
    await applyConnectionSettings(dataSource);
    return {
      dataSource,
      embedded: true,
      close: async () => {
        await dataSource.destroy();
        await pglite.close();
        folder.unlock();
      },
    };
  } catch (error) {
    folder.unlock();
    throw error;
  }
}

/** A data source that also knows sparse vectors; TypeORM knows pgvector's dense ones only. */
export function createDataSource(options: DataSourceOptions): DataSource {
  const dataSource = new DataSource(options);
  dataSource.driver.supportedDataTypes.push('sparsevec' as ColumnType);
  return dataSource;
}

/** For the embedded database, whose one connection takes no start-up options. */
export async function applyConnectionSettings(dataSource: DataSource): Promise<void> {
  for (const [name, value] of Object.entries(CONNECTION_SETTINGS)) {
    await dataSource.query(`SET ${name} = '${value}'`);
  }
}

function startupOptions(): string {
  return Object.entries(CONNECTION_SETTINGS)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}
