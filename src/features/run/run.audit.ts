import { defineAuditEvents } from '../../kernel/audit.js';

export const runAudit = defineAuditEvents({
  'run.invoked': {
    description: 'A question was accepted.',
    metadata: [
      'run_id',
      'session_id',
      'corpus_id',
      'top_k_requested',
      'top_k_effective',
      'audio_requested',
      'audio_effective',
    ],
    delivery: 'transactional',
  },
  'run.completed': {
    description: 'A question was answered.',
    metadata: [
      'run_id',
      'session_id',
      'corpus_id',
      'provider',
      'chunks',
      'latency_ms',
      'input_tokens',
      'output_tokens',
    ],
    delivery: 'transactional',
  },
  'run.failed': {
    description: 'A question could not be answered, or its client left.',
    metadata: ['run_id', 'session_id', 'corpus_id', 'latency_ms'],
    delivery: 'transactional',
  },
  'sessions.deleted': {
    description: 'A session was deleted with its messages and checkpoints.',
    metadata: ['messages'],
    delivery: 'transactional',
  },
});
