import { Injectable } from '@nestjs/common';
import { tryContext } from '../../../kernel/context.js';
import { DocumentGrants } from '../../rbac-abac/index.js';
import type { Document, DocumentDetails } from '../domain/document.js';
import { DocumentsRepository, type DocumentContent } from '../persistence/documents.repository.js';

export interface LabelledContent extends DocumentContent {
  /** Undefined leaves the labels of a replaced document as they are. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** Writes a document with what belongs to it in other tables, in the current transaction. */
@Injectable()
export class DocumentWriter {
  constructor(
    private readonly documents: DocumentsRepository,
    private readonly grants: DocumentGrants,
  ) {}

  async find(id: string): Promise<DocumentDetails | undefined> {
    return this.documents.find(id);
  }

  /** The document, which nobody else changes until the transaction ends. */
  async lock(id: string): Promise<Document | undefined> {
    return this.documents.lock(id);
  }

  /** Makes whoever acts the owner; the system owns nothing. @returns false when the id is taken. */
  async create(content: LabelledContent & { readonly corpusId: string }): Promise<boolean> {
    const creator = tryContext()?.principal;
    const created = await this.documents.insert({ ...content, createdBy: creator?.subjectId ?? 'system' });
    if (!created) return false;
    if (creator !== undefined) await this.grants.grantOwner(content.id, creator);
    if (content.labels !== undefined) await this.documents.replaceLabels(content.id, content.labels);
    return true;
  }

  /** @returns the new generation; undefined while one is in flight. */
  async replace(content: LabelledContent): Promise<number | undefined> {
    const generation = await this.documents.replace(content);
    if (generation !== undefined && content.labels !== undefined) {
      await this.documents.replaceLabels(content.id, content.labels);
    }
    return generation;
  }
}
