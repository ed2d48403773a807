import { bool, defineSettings, int, text, url, type SettingsOf } from '../../kernel/settings.js';

export const dbSettings = defineSettings(
  'db',
  'Database and data folder',
  {
    url: url(['postgres', 'postgresql'], {
      env: 'DATABASE_URL',
      default: undefined,
      secret: true,
      doc: 'Postgres 15 or newer with pgvector. Unset: the embedded database in the data folder.',
    }),
    migrationUrl: url(['postgres', 'postgresql'], {
      env: 'DATABASE_MIGRATION_URL',
      default: undefined,
      secret: true,
      doc: 'Owner of the schema, used by migrations only. Set it to let DATABASE_URL be a login that is merely a member of nexusrag_app and nexusrag_system. Unset: DATABASE_URL.',
    }),
    dataDir: text({
      env: 'NEXUSRAG_DATA_DIR',
      default: 'var',
      doc: 'Folder for the embedded database, local documents and the demo key.',
    }),
    poolSize: int({
      env: 'API_DB_POOL_SIZE',
      default: 20,
      min: 2,
      max: 500,
      unit: 'connections',
      doc: 'Connections that one process keeps ready.',
    }),
    maxOverflow: int({
      env: 'API_DB_MAX_OVERFLOW',
      default: 10,
      min: 0,
      max: 500,
      unit: 'connections',
      doc: 'Connections beyond the pool size that a burst may open.',
    }),
    preparedStatements: bool({
      env: 'API_DB_PREPARED_STATEMENTS',
      default: true,
      doc: 'Statements are parsed and planned once per connection. Off: for a pooler that mixes sessions and does not track them.',
    }),
    statementTimeoutMs: int({
      env: 'API_DB_STATEMENT_TIMEOUT_MS',
      default: 15_000,
      min: 100,
      max: 600_000,
      unit: 'ms',
      doc: 'The database cancels a statement that runs longer.',
    }),
  },
  [
    ({ url: value }, mode) =>
      mode === 'production' && value === undefined
        ? 'DATABASE_URL is required in production: the embedded database serves one process only.'
        : undefined,
  ],
);

export type DbSettings = SettingsOf<typeof dbSettings>;
