import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext, runInContext, systemContext } from '../../../kernel/context.js';
import { Log } from '../../../kernel/log.js';
import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { vectorDbIdOf, type Corpus } from '../../corpora/index.js';
import { accessVerdict, type AccessVerdict } from '../domain/access-verdict.js';
import type { EnforcementMode } from '../domain/residency-policy.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';
import { vectorDbsSettings, type VectorDbsSettings } from '../vector-dbs.settings.js';
import { AutomaticIncidents } from './automatic-incidents.js';
import { CorpusAccess, type AttachedCorpus } from './corpus-access.js';

export type DataAction = 'ingest' | 'retrieve' | 'reindex';

/** What lets a corpus be worked on. */
export interface AccessGrant {
  readonly decisions: readonly PolicyDecision[];
  /** Null for a corpus that names no vector database. */
  readonly vectorDbId: number | null;
  readonly attachmentId: string | null;
}

const UNGOVERNED: AccessGrant = { decisions: [], vectorDbId: null, attachmentId: null };

/** Corpora whose last known mode a process remembers, for when the database cannot say. */
const REMEMBERED = 10_000;

/** The gate in front of corpora that name a vector database. A corpus that names none passes without a question. */
@Injectable()
export class VectorDbAccess {
  readonly #modes = new LRUCache<string, EnforcementMode>({ max: REMEMBERED });

  constructor(
    private readonly corpora: CorpusAccess,
    private readonly incidents: AutomaticIncidents,
    private readonly uow: UnitOfWork,
    private readonly audit: AuditTrail,
    private readonly log: Log,
    @Inject(vectorDbsSettings.token) private readonly settings: VectorDbsSettings,
  ) {}

  /**
   * Not inside a unit of work.
   *
   * @throws VECTOR_DB_NOT_ATTACHED; RESIDENCY_POLICY_INACTIVE, residency.vector_db_mismatch and BYOK_POSTURE_VETO with
   * status 403; GOVERNANCE_UNAVAILABLE when it cannot be read, unless the policy only monitored when it last could.
   */
  async require(corpus: Corpus, action: DataAction): Promise<AccessGrant> {
    const vectorDbId = vectorDbIdOf(corpus.providerConfig);
    if (vectorDbId === undefined || !this.settings.runtimeEnforcement) return UNGOVERNED;
    const place = `${corpus.tenantId}\0${corpus.id}\0${vectorDbId}`;
    let found: AttachedCorpus | undefined;
    try {
      found = await this.corpora.find(vectorDbId, corpus.id);
    } catch (error) {
      return this.#unread(place, vectorDbId, error);
    }
    if (found === undefined) throw this.#notAttached(corpus, action);
    this.#modes.set(place, found.attachment.mode);
    const verdict = accessVerdict(found.facts);
    await this.#writeDown(corpus, found, verdict);
    if (verdict.refusal !== undefined) throw this.#refuse(corpus, action, found, verdict);
    return { decisions: verdict.decisions, vectorDbId, attachmentId: found.attachment.id };
  }

  #unread(place: string, vectorDbId: number, error: unknown): AccessGrant {
    const monitored = this.#modes.get(place) === 'monitor';
    this.log.error({ err: error, vector_db_id: vectorDbId, allowed: monitored }, 'governance_check_failed');
    if (!monitored) throw vectorDbsErrors.GOVERNANCE_UNAVAILABLE({ cause: error });
    const decision = { engine: 'vector_db', effect: 'note', code: 'GOVERNANCE_UNAVAILABLE' } as const;
    return { decisions: [decision], vectorDbId, attachmentId: null };
  }

  /** Incidents, but for those that counted within the last minute. What cannot be written changes no verdict. */
  async #writeDown(corpus: Corpus, found: AttachedCorpus, { incidents, refusal }: AccessVerdict): Promise<void> {
    const { attachment } = found;
    const due = incidents.filter(({ type }) => !attachment.quiet.includes(type));
    const vetoed = refusal === 'BYOK_POSTURE_VETO';
    if (due.length === 0 && !vetoed) return;
    const { requestId, tenantId } = currentContext();
    const write = async (): Promise<void> => {
      if (vetoed) await this.corpora.recordVeto(found, corpus.id);
      for (const incident of due) await this.incidents.open(attachment, incident);
    };
    try {
      // The platform's, and no part of the change that the request asks for.
      await runInContext(systemContext(requestId, tenantId), () => this.uow.run(write));
    } catch (error) {
      this.log.error({ err: error, attachment_id: attachment.id }, 'incidents of an attachment were not written');
    }
  }

  #notAttached(corpus: Corpus, action: DataAction): Error {
    const error = vectorDbsErrors.VECTOR_DB_NOT_ATTACHED();
    this.#note(error.code, corpus, { action, attachment_id: null, notes: [], mode: null });
    return error;
  }

  #refuse(corpus: Corpus, action: DataAction, { attachment, facts }: AttachedCorpus, verdict: AccessVerdict): Error {
    const { refusal = 'BYOK_POSTURE_VETO', notes } = verdict;
    this.#note(refusal, corpus, { action, attachment_id: attachment.id, notes, mode: attachment.mode });
    const details = {
      attachment_id: attachment.id,
      provider_key_id: facts.key.keyId,
      notes,
      workload_status: facts.key.workloadStatus,
    };
    return vectorDbsErrors[refusal]({ status: 403, details });
  }

  #note(errorCode: string, corpus: Corpus, metadata: Readonly<Record<string, unknown>>): void {
    this.audit.note({
      event: 'vector_db.access.vetoed',
      outcome: 'failure',
      resourceType: 'corpus',
      resourceId: corpus.id,
      errorCode,
      metadata: { corpus_id: corpus.id, ...metadata },
    });
  }
}
