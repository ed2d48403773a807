import { Injectable } from '@nestjs/common';
import { decodeCursor, Page } from '../../../kernel/cursor.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Attachment, AttachmentState } from '../domain/attachment.js';

export type NewAttachment = Omit<Attachment, 'attachedAt' | 'detachedAt' | 'detachedReason'> & {
  readonly attachedBy: string;
};

export interface Detachment {
  readonly reason: string;
  readonly by: string;
}

/** An active attachment with where its data may be and is. */
export interface PlacedAttachment {
  readonly id: string;
  readonly vectorDbId: number;
  readonly policyId: number;
  readonly policyRegion: string;
  readonly mode: 'monitor' | 'block';
  readonly region: string | null;
}

@Injectable()
export class AttachmentsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Newest first. @throws INVALID_CURSOR */
  async list(
    vectorDbId: number,
    { state, limit, cursor }: { state?: AttachmentState | undefined; limit: number; cursor?: string | undefined },
  ): Promise<Page<Attachment>> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'uuid']);
    const rows = await this.uow.rows<Attachment & { position: string }>(
      `SELECT ${COLUMNS}, attached_at::text AS position FROM vector_db_attachments
        WHERE tenant_id = $1 AND vector_db_id = $2 AND ($3::boolean IS NULL OR (detached_at IS NULL) = $3::boolean)
          AND ($4::timestamptz IS NULL OR (attached_at, id) < ($4::timestamptz, $5::uuid))
        ORDER BY attached_at DESC, id DESC LIMIT $6`,
      [
        this.uow.tenantId,
        vectorDbId,
        state === undefined ? null : state === 'active',
        time ?? null,
        id ?? null,
        limit + 1,
      ],
    );
    return Page.of(rows, limit, ({ position, id: last }) => [position, last]);
  }

  async find(vectorDbId: number, id: string): Promise<Attachment | undefined> {
    return this.uow.first<Attachment>(
      `SELECT ${COLUMNS} FROM vector_db_attachments WHERE tenant_id = $1 AND vector_db_id = $2 AND id = $3`,
      [this.uow.tenantId, vectorDbId, id],
    );
  }

  /** Undefined while the workload is attached to the vector database already. */
  async insert(attachment: NewAttachment): Promise<Attachment | undefined> {
    return this.uow.first<Attachment>(
      `INSERT INTO vector_db_attachments (tenant_id, id, vector_db_id, attachment_type, attachment_ref,
         residency_policy_id, provider_key_binding_id, binding_names_db, attached_by, metadata)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       ON CONFLICT (tenant_id, vector_db_id, attachment_type, attachment_ref) WHERE detached_at IS NULL DO NOTHING
       RETURNING ${COLUMNS}`,
      [
        this.uow.tenantId,
        attachment.id,
        attachment.vectorDbId,
        attachment.type,
        attachment.ref,
        attachment.policyId,
        attachment.bindingId,
        attachment.bindingNamesDb,
        attachment.attachedBy,
        JSON.stringify(attachment.metadata),
      ],
    );
  }

  /** Undefined when it is not active: of any number that try at once, one succeeds. */
  async detach(vectorDbId: number, id: string, { reason, by }: Detachment): Promise<Attachment | undefined> {
    return this.uow.first<Attachment>(
      `UPDATE vector_db_attachments SET detached_at = now(), detached_reason = $4, detached_by = $5
        WHERE tenant_id = $1 AND vector_db_id = $2 AND id = $3 AND detached_at IS NULL RETURNING ${COLUMNS}`,
      [this.uow.tenantId, vectorDbId, id, reason, by],
    );
  }

  async detachAll(vectorDbId: number, { reason, by }: Detachment): Promise<Attachment[]> {
    return this.uow.rows<Attachment>(
      `UPDATE vector_db_attachments SET detached_at = now(), detached_reason = $3, detached_by = $4
        WHERE tenant_id = $1 AND vector_db_id = $2 AND detached_at IS NULL RETURNING ${COLUMNS}`,
      [this.uow.tenantId, vectorDbId, reason, by],
    );
  }

  async detachCorpus(corpusId: string, { reason, by }: Detachment): Promise<Attachment[]> {
    return this.uow.rows<Attachment>(
      `UPDATE vector_db_attachments SET detached_at = now(), detached_reason = $3, detached_by = $4
        WHERE tenant_id = $1 AND attachment_type = 'corpus' AND attachment_ref = $2 AND detached_at IS NULL
       RETURNING ${COLUMNS}`,
      [this.uow.tenantId, corpusId, reason, by],
    );
  }

  async activeOf(bindingIds: readonly string[]): Promise<Attachment[]> {
    return this.uow.rows<Attachment>(
      `SELECT ${COLUMNS} FROM vector_db_attachments
        WHERE tenant_id = $1 AND provider_key_binding_id = ANY ($2::uuid[]) AND detached_at IS NULL ORDER BY id`,
      [this.uow.tenantId, bindingIds],
    );
  }

  /** Every active attachment of the tenant, by id. @param after the last one of the part before. */
  async placed(limit: number, after?: string): Promise<PlacedAttachment[]> {
    return this.uow.rows<PlacedAttachment>(
      `SELECT a.id, a.vector_db_id AS "vectorDbId", p.id AS "policyId", p.region AS "policyRegion",
              p.enforcement_mode AS mode, d.region
         FROM vector_db_attachments a
         JOIN vector_db_residency_policies p ON p.tenant_id = a.tenant_id AND p.id = a.residency_policy_id
         JOIN vector_dbs d ON d.tenant_id = a.tenant_id AND d.id = a.vector_db_id
        WHERE a.tenant_id = $1 AND a.detached_at IS NULL AND ($2::uuid IS NULL OR a.id > $2::uuid)
        ORDER BY a.id LIMIT $3`,
      [this.uow.tenantId, after ?? null, limit],
    );
  }
}

const COLUMNS = `id, vector_db_id AS "vectorDbId", attachment_type AS type, attachment_ref AS ref,
  residency_policy_id AS "policyId", provider_key_binding_id AS "bindingId", binding_names_db AS "bindingNamesDb",
  attached_at AS "attachedAt", detached_at AS "detachedAt", detached_reason AS "detachedReason", metadata`;
