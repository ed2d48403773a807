import { defineErrors } from '../../kernel/errors.js';

/** The texts without a full stop are a contract with consoles and command lines. */
export const vectorDbsErrors = defineErrors('vector-dbs', {
  VECTOR_DB_NOT_FOUND: { status: 404, message: 'Vector DB not found', retry: 'never' },
  VECTOR_DB_OWNERSHIP_MISMATCH: { status: 403, message: 'Vector DB ownership mismatch', retry: 'never' },
  VECTOR_DB_HAS_ACTIVE_ATTACHMENTS: {
    status: 409,
    message: 'The vector DB has active attachments. Detach them first, or repeat with ?force=true.',
    retry: 'after-change',
  },
  RESIDENCY_POLICY_NOT_FOUND: { status: 404, message: 'Residency policy not found', retry: 'never' },
  RESIDENCY_POLICY_INACTIVE: {
    status: 409,
    alternatives: [403],
    message: 'Residency policy is inactive',
    retry: 'after-change',
  },
  PROVIDER_KEY_BINDING_NOT_FOUND: { status: 404, message: 'Active provider key binding not found', retry: 'never' },
  PROVIDER_KEY_BINDING_SCOPE_MISMATCH: {
    status: 409,
    message: 'Provider key binding must target vector_db attachments',
    retry: 'after-change',
  },
  'residency.vector_db_mismatch': {
    status: 409,
    alternatives: [403],
    message: 'The vector database is outside the region that its residency policy or the tenant allows.',
    retry: 'after-change',
  },
  ATTACHMENT_NOT_FOUND: { status: 404, message: 'Attachment not found', retry: 'never' },
  ATTACHMENT_ALREADY_EXISTS: {
    status: 409,
    message: 'This workload is attached to the vector DB already. Detach it first.',
    retry: 'after-change',
  },
  ATTACHMENT_ALREADY_DETACHED: { status: 409, message: 'Attachment already detached', retry: 'never' },
  INCIDENT_NOT_FOUND: { status: 404, message: 'Incident not found', retry: 'never' },
  INCIDENT_ALREADY_RESOLVED: { status: 409, message: 'Incident already resolved', retry: 'never' },
  VECTOR_DB_NOT_ATTACHED: {
    status: 409,
    message: 'The corpus names a vector DB that it is not attached to. Attach it, or change its provider config.',
    retry: 'after-change',
  },
  CORPUS_ATTACHED: {
    status: 409,
    message: 'The corpus is attached to the vector DB that it names. Detach it before it names another one, or none.',
    retry: 'after-change',
  },
  BYOK_POSTURE_VETO: {
    status: 403,
    message: 'The key that the corpus is attached with may not be used. See details.notes, and rotate or bind a key.',
    retry: 'after-change',
  },
  GOVERNANCE_UNAVAILABLE: {
    status: 503,
    message: 'The rules for this corpus cannot be read right now.',
    retry: 'later',
    retryAfterSeconds: 1,
  },
});

/** What the gate in front of governed corpora can answer. */
export const GATE_ERRORS = [
  'VECTOR_DB_NOT_ATTACHED',
  'RESIDENCY_POLICY_INACTIVE',
  'residency.vector_db_mismatch',
  'BYOK_POSTURE_VETO',
  'GOVERNANCE_UNAVAILABLE',
] as const;
