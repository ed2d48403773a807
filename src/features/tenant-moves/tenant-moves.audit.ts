import { defineAuditEvents, type AuditEventSpec } from '../../kernel/audit.js';
import { MIGRATION_STATES } from './domain/migration.js';

const KEYS = [
  'job_id',
  'moved_tenant',
  'region',
  'counts',
  'export_id',
  'manifest_sha256',
  'approver',
  'reason',
  'state',
];
const event = (description: string): AuditEventSpec => ({ description, metadata: KEYS, delivery: 'transactional' });

export const movesAudit = defineAuditEvents({
  'residency.export': event('An export of a tenant was asked for.'),
  'residency.export.succeeded': event('A tenant was exported.'),
  'residency.export.failed': event('An export of a tenant failed.'),
  'residency.import': event('An archive of a tenant was taken in.'),
  'residency.import.succeeded': event('An archive was imported, or compared.'),
  'residency.import.failed': event('An import of a tenant failed.'),
  'residency.purge.previewed': event('What a purge would delete was counted.'),
  'residency.purge': event('A purge of a moved tenant was asked for.'),
  'residency.purge.succeeded': event('A moved tenant was deleted.'),
  'residency.purge.failed': event('A purge of a moved tenant failed.'),
  ...Object.fromEntries(
    MIGRATION_STATES.map((state) => [`residency.migration.${state}`, event(`A migration of a tenant is ${state}.`)]),
  ),
});
