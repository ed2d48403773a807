import { defineSettings, int, type SettingsOf } from '../../kernel/settings.js';

export const auditSettings = defineSettings('audit', 'Audit', {
  retentionDays: int({
    env: 'AUDIT_RETENTION_DAYS',
    default: 90,
    min: 1,
    max: 36_500,
    unit: 'days',
    doc: 'Age at which audit events are removed. Events of a tenant on legal hold stay.',
  }),
  batchSize: int({
    env: 'AUDIT_BATCH_SIZE',
    default: 500,
    min: 1,
    max: 5000,
    unit: 'events',
    doc: 'Access events that one statement writes at most.',
  }),
  sealIntervalSeconds: int({
    env: 'AUDIT_SEAL_INTERVAL_S',
    default: 5,
    min: 1,
    max: 3600,
    unit: 's',
    doc: 'How often new events are sealed. A change of an event is noticed only once it has a seal.',
  }),
});

export type AuditSettings = SettingsOf<typeof auditSettings>;
