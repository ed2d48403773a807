import { Injectable } from '@nestjs/common';
import { tryContext } from '../../../kernel/context.js';
import type { Soon } from '../../../kernel/soon.js';
import { DocumentAccess, DocumentGrants, type DocumentRules } from '../../rbac-abac/index.js';
import {
  DocumentsRepository,
  type DocumentContent,
  type ExaminedDocument,
} from '../persistence/documents.repository.js';
import { factsAfter, factsOf, type Change } from './document-facts.js';

export interface LabelledContent extends DocumentContent {
  /** Undefined leaves the labels of a replaced document as they are. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/**
 * Writes a document with what belongs to it in other tables, in the current transaction. Rules that are undefined are
 * those of the system, which may write everything.
 */
@Injectable()
export class DocumentWriter {
  constructor(
    private readonly documents: DocumentsRepository,
    private readonly grants: DocumentGrants,
    private readonly access: DocumentAccess,
  ) {}

  /** What decides for whoever acts. Before the unit of work in which it decides. @throws Error for the system. */
  rules(): Soon<DocumentRules> {
    return this.access.rules();
  }

  /** Whether it may be written is for `permit` to say. */
  async find(id: string, rules: DocumentRules | undefined): Promise<ExaminedDocument | undefined> {
    return this.documents.find(id, rules === undefined ? undefined : { rules, action: 'write' });
  }

  /** As `find`; nobody else changes the document until the transaction ends. */
  async lock(id: string, rules: DocumentRules | undefined): Promise<ExaminedDocument | undefined> {
    return (await this.documents.lock(id)) ? this.find(id, rules) : undefined;
  }

  /**
   * A document must be open to who acts as it is and as it becomes: a label that keeps somebody from writing is not
   * theirs to take off or to put on.
   *
   * @param existing undefined for a new document.
   * @param change undefined when nothing will be changed.
   * @throws AUTHZ_DENIED
   */
  permit(rules: DocumentRules | undefined, existing: ExaminedDocument | undefined, change: Change | undefined): void {
    if (rules === undefined) return;
    if (existing !== undefined) this.access.require(rules, 'write', factsOf(existing));
    if (change !== undefined) this.access.require(rules, 'write', factsAfter(change, existing, rules));
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
