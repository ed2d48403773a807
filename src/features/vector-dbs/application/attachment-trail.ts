import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { KeyBindings } from '../../provider-keys/index.js';
import type { Attachment } from '../domain/attachment.js';
import { ServedLately } from './served-lately.js';

/** What happened to attachments: in the audit trail, and known to every gate. */
@Injectable()
export class AttachmentTrail {
  constructor(
    private readonly keys: KeyBindings,
    private readonly audit: AuditTrail,
    private readonly lately: ServedLately,
  ) {}

  /** In the transaction of the change. */
  async record(what: 'created' | 'detached', attachments: readonly Attachment[]): Promise<void> {
    if (attachments.length === 0) return;
    const keys = await this.keys.postures([...new Set(attachments.map(({ bindingId }) => bindingId))]);
    await this.audit.record(
      ...attachments.map((attachment) => ({
        event: `vector_db.attachment.${what}`,
        outcome: 'success' as const,
        resourceType: 'vector_db_attachment',
        resourceId: attachment.id,
        metadata: {
          vector_db_id: attachment.vectorDbId,
          attachment_id: attachment.id,
          type: attachment.type,
          ref: attachment.ref,
          policy_id: attachment.policyId,
          binding_id: attachment.bindingId,
          key_id: keys.get(attachment.bindingId)?.keyId ?? null,
          reason: attachment.detachedReason,
        },
      })),
    );
    this.lately.endWithCommit();
  }
}
