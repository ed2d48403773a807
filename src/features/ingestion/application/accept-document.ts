import { Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { isAppError } from '../../../kernel/errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Corpora } from '../../corpora/index.js';
import type { DocumentRules } from '../../rbac-abac/index.js';
import { VectorDbAccess } from '../../vector-dbs/index.js';
import { storageKeyOf, type Document } from '../domain/document.js';
import type { DocumentStatus } from '../domain/document-status.js';
import { judge, type Verdict } from '../domain/resubmission.js';
import { ingestionErrors } from '../ingestion.errors.js';
import type { ExaminedDocument } from '../persistence/documents.repository.js';
import { DocumentWriter } from './document-writer.js';
import { IngestAdmission, type Route } from './ingest-admission.js';
import { IngestDispatch, type Dispatch } from './ingest-dispatch.js';
import { SourceBeingRemoved, SourceTexts } from './source-texts.js';
import type { Submission } from './submissions.js';

/** How far a document is after it was sent or sent again. */
export interface Accepted {
  readonly documentId: string;
  readonly status: DocumentStatus;
  readonly jobId: string | null;
  /** False when nothing was changed. */
  readonly scheduled: boolean;
}

type Outcome = Dispatch | { readonly verdict: Verdict; readonly existing: Document };

/** Losing this many races for one id in a row means that somebody creates and deletes it in a loop. */
const MAX_TRIES = 5;

/**
 * Takes in a document. Of any number of concurrent requests for one id, one creates it; the others see what it
 * created. The text is stored before the transaction that refers to it.
 */
@Injectable()
export class AcceptDocument {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly corpora: Corpora,
    private readonly access: VectorDbAccess,
    private readonly writer: DocumentWriter,
    private readonly sources: SourceTexts,
    private readonly admission: IngestAdmission,
    private readonly dispatch: IngestDispatch,
  ) {}

  /**
   * @throws NOT_FOUND (corpus), AUTHZ_DENIED, CONFLICT (the id belongs to another corpus), DOCUMENT_EXISTS, what residency
   * and the gate of a governed corpus throw, SERVICE_BUSY, QUEUE_ERROR (the document is stored as failed), BLOB_STORE_UNAVAILABLE.
   */
  async accept(submission: Submission): Promise<Accepted> {
    return this.admission.within(async () => {
      const rules = await this.writer.rules();
      return this.#accept(submission, rules, () => this.admission.route(submission.corpusId));
    });
  }

  /** As `accept`, for the system, and ingests within the call whatever the mode; for the demo documents. */
  async ingestNow(submission: Submission): Promise<Accepted> {
    return this.#accept(submission, undefined, () => Promise.resolve('inline'));
  }

  async #accept(
    submission: Submission,
    rules: DocumentRules | undefined,
    choose: () => Promise<Route>,
  ): Promise<Accepted> {
    const { corpus, existing } = await this.uow.read(async () => ({
      corpus: await this.corpora.require(submission.corpusId),
      existing: await this.writer.find(submission.id, rules),
    }));
    const verdict = this.#judge(submission, rules, existing);
    if (existing !== undefined && !isChange(verdict)) return unchanged(verdict, existing);
    await this.access.require(corpus, 'ingest');
    const route = await choose();
    const key = storageKeyOf(corpus.tenantId, submission.id, submission.contentSha256, submission.contentType);
    const outcome = await this.#store(submission, rules, key, route);
    if ('verdict' in outcome) return unchanged(outcome.verdict, outcome.existing);
    await this.dispatch.settle(outcome);
    return this.#scheduled(outcome);
  }

  /** What sending it means, if who acts may write the document. @throws AUTHZ_DENIED */
  #judge(submission: Submission, rules: DocumentRules | undefined, existing: ExaminedDocument | undefined): Verdict {
    const verdict = judge(existing, submission);
    this.writer.permit(rules, existing, isChange(verdict) ? submission : undefined);
    return verdict;
  }

  async #store(submission: Submission, rules: DocumentRules | undefined, key: string, route: Route): Promise<Outcome> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      await this.sources.store(key, submission.bytes);
      try {
        const outcome = await this.uow.run(() => this.#write(submission, rules, key, route));
        if (outcome !== undefined) return outcome;
      } catch (error) {
        if (isAppError(error, 'AUTHZ_DENIED')) await this.#forget(submission.id, key);
        if (!(error instanceof SourceBeingRemoved)) throw error;
      }
    }
    throw commonErrors.CONFLICT();
  }

  /** Judges again, now that nobody else can change the document. Undefined when it was deleted in between. */
  async #write(
    submission: Submission,
    rules: DocumentRules | undefined,
    key: string,
    route: Route,
  ): Promise<Outcome | undefined> {
    const content = { ...submission, storageKey: key, byteCount: submission.bytes.byteLength };
    if (await this.writer.create(content)) {
      this.#judge(submission, rules, undefined);
      return this.#schedule(submission, key, 1, route);
    }
    const existing = await this.writer.lock(submission.id, rules);
    if (existing === undefined) return undefined;
    const verdict = this.#judge(submission, rules, existing);
    const changed = isChange(verdict);
    const obsolete = changed ? existing.storageKey : key;
    const current = changed ? key : existing.storageKey;
    if (obsolete !== null && obsolete !== current) {
      await this.sources.discard([{ documentId: existing.id, key: obsolete }]);
    }
    if (!changed) return { verdict, existing };
    const generation = await this.writer.replace(content);
    return generation === undefined ? undefined : this.#schedule(submission, key, generation, route);
  }

  /** Somebody else was first with the id: what was stored for this sender is nobody's, unless it is the same. */
  async #forget(documentId: string, key: string): Promise<void> {
    await this.uow.run(() => this.sources.discard([{ documentId, key }]));
  }

  async #schedule(submission: Submission, key: string, generation: number, route: Route): Promise<Dispatch> {
    await this.sources.claim(key);
    const { id: documentId, jobId, corpusId, ingestSource, overwrite, facts } = submission;
    return this.dispatch.schedule({ id: jobId, documentId, generation, kind: 'ingest' }, route, {
      name: 'documents.ingest.enqueued',
      metadata: { corpus_id: corpusId, ingest_source: ingestSource, overwrite, ...facts },
    });
  }

  async #scheduled({ job, route }: Dispatch): Promise<Accepted> {
    const ended =
      route === 'inline' ? await this.uow.read(() => this.writer.find(job.documentId, undefined)) : undefined;
    return { documentId: job.documentId, status: ended?.status ?? 'queued', jobId: job.id, scheduled: true };
  }
}

function isChange(verdict: Verdict): boolean {
  return verdict === 'create' || verdict === 'replace';
}

/** @throws CONFLICT, DOCUMENT_EXISTS */
function unchanged(verdict: Verdict, { id, status, lastJobId, contentSha256 }: Document): Accepted {
  if (verdict === 'elsewhere') throw commonErrors.CONFLICT({ message: 'The document belongs to another corpus.' });
  if (verdict === 'differs') {
    throw ingestionErrors.DOCUMENT_EXISTS({ details: { document_id: id, status, content_sha256: contentSha256 } });
  }
  return { documentId: id, status, jobId: lastJobId, scheduled: false };
}
