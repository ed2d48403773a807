import { Injectable } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { Ids } from '../../../kernel/ids.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { KeyBindings, type BindingPosture } from '../../provider-keys/index.js';
import { keyNotes } from '../domain/access-verdict.js';
import { CORPUS_DELETED, detachReason, type Attachment, type AttachmentState } from '../domain/attachment.js';
import { AttachmentsRepository, type NewAttachment } from '../persistence/attachments.repository.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';
import { actor } from './actor.js';
import { AttachmentTrail } from './attachment-trail.js';
import { VectorDbs } from './vector-dbs.js';

/** With the key as it is now, also where the attachment is not active any more. */
export interface AttachmentWithKey extends Attachment {
  readonly keyId: string | null;
  readonly rotationDueAt: Date | null;
  readonly posture: {
    readonly state: string;
    readonly vetoed: boolean;
    readonly notes: readonly string[];
  } | null;
}

export interface ListedAttachments {
  readonly state?: AttachmentState | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

@Injectable()
export class Attachments {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly dbs: VectorDbs,
    private readonly attachments: AttachmentsRepository,
    private readonly keys: KeyBindings,
    private readonly trail: AttachmentTrail,
    private readonly ids: Ids,
  ) {}

  /** Newest first. @throws VECTOR_DB_NOT_FOUND, VECTOR_DB_OWNERSHIP_MISMATCH, INVALID_CURSOR */
  async list(vectorDbId: number, listed: ListedAttachments): Promise<Page<AttachmentWithKey>> {
    return this.uow.read(async () => {
      await this.dbs.owned(vectorDbId);
      const page = await this.attachments.list(vectorDbId, listed);
      const postures = await this.#postures(page.items);
      return page.map((attachment) => withKey(attachment, postures.get(attachment.bindingId)));
    });
  }

  /**
   * @throws VECTOR_DB_NOT_FOUND, VECTOR_DB_OWNERSHIP_MISMATCH, ATTACHMENT_NOT_FOUND, ATTACHMENT_ALREADY_DETACHED
   */
  async detach(vectorDbId: number, id: string, reason: string | null | undefined): Promise<AttachmentWithKey> {
    const detachment = { reason: detachReason(reason), by: actor().subjectId };
    return this.uow.run(async () => {
      await this.dbs.owned(vectorDbId);
      const detached = await this.attachments.detach(vectorDbId, id, detachment);
      if (detached === undefined) {
        const there = await this.attachments.find(vectorDbId, id);
        throw there === undefined
          ? vectorDbsErrors.ATTACHMENT_NOT_FOUND()
          : vectorDbsErrors.ATTACHMENT_ALREADY_DETACHED();
      }
      await this.trail.record('detached', [detached]);
      return this.#withKey(detached);
    });
  }

  /** Wherever the corpus is attached. In the transaction of its deletion. */
  async detachCorpus(corpusId: string): Promise<void> {
    const detachment = { reason: CORPUS_DELETED, by: actor().subjectId };
    await this.trail.record('detached', await this.attachments.detachCorpus(corpusId, detachment));
  }

  /** In the transaction of its checks. Undefined while the workload is attached already. */
  async add(given: Omit<NewAttachment, 'id' | 'attachedBy'>): Promise<AttachmentWithKey | undefined> {
    const added = await this.attachments.insert({ ...given, id: this.ids.uuid(), attachedBy: actor().subjectId });
    if (added === undefined) return undefined;
    await this.trail.record('created', [added]);
    return this.#withKey(added);
  }

  async #withKey(attachment: Attachment): Promise<AttachmentWithKey> {
    return withKey(attachment, (await this.#postures([attachment])).get(attachment.bindingId));
  }

  async #postures(attachments: readonly Attachment[]): Promise<ReadonlyMap<string, BindingPosture>> {
    const bindings = new Set(attachments.map(({ bindingId }) => bindingId));
    return bindings.size === 0 ? new Map() : this.keys.postures([...bindings]);
  }
}

function withKey(attachment: Attachment, posture: BindingPosture | undefined): AttachmentWithKey {
  const target = attachment.bindingNamesDb ? [] : ['binding-target-mismatch'];
  return {
    ...attachment,
    keyId: posture?.keyId ?? null,
    rotationDueAt: posture?.rotationDueAt ?? null,
    posture:
      posture === undefined
        ? null
        : { state: posture.state, vetoed: posture.vetoed, notes: [...keyNotes(posture), ...target] },
  };
}
