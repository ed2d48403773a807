import { defineAuditEvents } from '../../kernel/audit.js';

export const corporaAudit = defineAuditEvents({
  'corpora.created': { description: 'A corpus was created.', metadata: ['provider'], delivery: 'transactional' },
  'corpora.updated': {
    description: 'Corpus fields were updated.',
    metadata: ['updated_fields', 'vector_db_id'],
    delivery: 'transactional',
  },
  'corpora.deleted': { description: 'A corpus was deleted.', metadata: ['cascade'], delivery: 'transactional' },
});
