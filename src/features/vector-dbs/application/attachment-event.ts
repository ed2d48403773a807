import type { AuditEntry } from '../../../kernel/audit.js';
import type { Attachment } from '../domain/attachment.js';

export function attachmentEvent(
  event: 'vector_db.attachment.created' | 'vector_db.attachment.detached',
  attachment: Attachment,
  keyId: string | null = null,
): AuditEntry {
  return {
    event,
    outcome: 'success',
    resourceType: 'vector_db_attachment',
    resourceId: attachment.id,
    metadata: {
      vector_db_id: attachment.vectorDbId,
      attachment_id: attachment.id,
      type: attachment.type,
      ref: attachment.ref,
      policy_id: attachment.policyId,
      binding_id: attachment.bindingId,
      key_id: keyId,
      reason: attachment.detachedReason,
    },
  };
}
