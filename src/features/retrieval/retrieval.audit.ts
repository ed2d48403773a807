import { defineAuditEvents } from '../../kernel/audit.js';

export const retrievalAudit = defineAuditEvents({
  'corpora.smoke_tested': {
    description: 'An operator searched the corpus from the command line, past the rights of documents.',
    metadata: ['provider', 'passages'],
    delivery: 'transactional',
  },
  'corpora.reembed.enqueued': {
    description: 'Vectors of another embedding model were asked for.',
    metadata: ['from', 'to'],
    delivery: 'transactional',
  },
  'corpora.reembed.succeeded': {
    description: 'Searches of the corpus use the vectors of another embedding model.',
    metadata: ['from', 'to'],
    delivery: 'transactional',
  },
  'corpora.reembed.failed': {
    description: 'The vectors of another embedding model could not be made; searches use those they used before.',
    metadata: ['from', 'to'],
    delivery: 'transactional',
  },
});
