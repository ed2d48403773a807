import { defineAuditEvents } from '../../kernel/audit.js';

const ATTACHMENT = ['vector_db_id', 'attachment_id', 'type', 'ref', 'policy_id', 'binding_id', 'key_id', 'reason'];
const INCIDENT = ['vector_db_id', 'incident_id', 'incident_type', 'severity', 'attachment_id', 'auto'];

export const vectorDbsAudit = defineAuditEvents({
  'vector_db.created': {
    description: 'A vector database was registered.',
    metadata: ['vector_db_id', 'db_type', 'region'],
    delivery: 'transactional',
  },
  'vector_db.deleted': {
    description: 'A vector database was deleted. What was attached to it is detached.',
    metadata: ['vector_db_id', 'db_type', 'region'],
    delivery: 'transactional',
  },
  'vector_db.residency_policy.upserted': {
    description: 'It was decided in which region the data of a vector database may be.',
    metadata: ['vector_db_id', 'policy_id', 'region', 'data_classification', 'enforcement_mode', 'active', 'previous'],
    delivery: 'transactional',
  },
  'vector_db.attachment.created': {
    description: 'A workload was attached to a vector database.',
    metadata: ATTACHMENT,
    delivery: 'transactional',
  },
  'vector_db.attachment.detached': {
    description: 'A workload was detached from a vector database.',
    metadata: ATTACHMENT,
    delivery: 'transactional',
  },
  'vector_db.attachment.rejected': {
    description: 'A workload was not attached: a policy, a key or another attachment stood against it.',
    metadata: ['vector_db_id', 'check', 'policy_id', 'binding_id'],
    delivery: 'transactional',
  },
  'vector_db.incident.logged': {
    description: 'An incident of a vector database was logged, by somebody or by the platform.',
    metadata: INCIDENT,
    delivery: 'transactional',
  },
  'vector_db.incident.raised': {
    description: 'An incident that is open turned out to be more severe.',
    metadata: [...INCIDENT, 'previous_severity'],
    delivery: 'transactional',
  },
  'vector_db.incident.resolved': {
    description: 'An incident of a vector database was resolved.',
    metadata: INCIDENT,
    delivery: 'transactional',
  },
  'vector_db.access.vetoed': {
    description: 'A governed corpus was not served: its attachment, policy or key did not allow it.',
    metadata: ['corpus_id', 'attachment_id', 'notes', 'mode', 'action'],
    delivery: 'access',
  },
  'vector_db.access.failed_open': {
    description: 'A governed corpus was served though its rules could not be read: it had been served a moment ago.',
    metadata: ['corpus_id', 'vector_db_id', 'action', 'error_class'],
    delivery: 'access',
  },
});
