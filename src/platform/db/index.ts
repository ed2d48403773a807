export { UnitOfWork } from './unit-of-work.js';
export { constraints, isDatabaseFailure, isUnavailable, violatedConstraint } from './db-failures.js';
export { CROSS_TENANT, type CrossTenantReason } from './cross-tenant.js';
export { DataFolder, DataFolderLocked } from './data-folder.js';
export {
  applyConnectionSettings,
  createDataSource,
  openDatabase,
  type DatabaseSchema,
  type OpenDatabase,
} from './data-source.js';
export { Migrator, type MigrationStatus } from './migrator.js';
export { dbErrors } from './db.errors.js';
export { dbSettings, type DbSettings } from './db.settings.js';
export { PLANNED_ANEW } from './prepared-statements.js';
export { SqlParameters } from './sql-parameters.js';
