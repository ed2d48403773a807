import { Inject, Injectable } from '@nestjs/common';
import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import { vectorDbIdOf, type Corpus } from '../../corpora/index.js';
import { accessVerdict, type AccessVerdict } from '../domain/access-verdict.js';
import { vectorDbsErrors } from '../vector-dbs.errors.js';
import { vectorDbsSettings, type VectorDbsSettings } from '../vector-dbs.settings.js';
import { AccessRecords } from './access-records.js';
import { CorpusAccess, type AttachedCorpus } from './corpus-access.js';
import { ServedLately, type GovernedUse } from './served-lately.js';

export type DataAction = 'ingest' | 'retrieve' | 'reindex';

/** What lets a corpus be worked on. */
export interface AccessGrant {
  readonly decisions: readonly PolicyDecision[];
  /** Null for a corpus that names no vector database. */
  readonly vectorDbId: number | null;
  readonly attachmentId: string | null;
  /** Where the vector database keeps its data; null where that is not known. */
  readonly vectorDbRegion: string | null;
}

const UNGOVERNED: AccessGrant = { decisions: [], vectorDbId: null, attachmentId: null, vectorDbRegion: null };

/** The gate in front of corpora that name a vector database. A corpus that names none passes without a question. */
@Injectable()
export class VectorDbAccess {
  constructor(
    private readonly corpora: CorpusAccess,
    private readonly records: AccessRecords,
    private readonly lately: ServedLately,
    @Inject(vectorDbsSettings.token) private readonly settings: VectorDbsSettings,
  ) {}

  /**
   * Not inside a unit of work.
   *
   * @throws VECTOR_DB_NOT_ATTACHED; RESIDENCY_POLICY_INACTIVE, residency.vector_db_mismatch and BYOK_POSTURE_VETO with
   * status 403; GOVERNANCE_UNAVAILABLE when it cannot be read, unless it was served lately and the policy only monitors.
   */
  async require(corpus: Corpus, action: DataAction): Promise<AccessGrant> {
    const vectorDbId = vectorDbIdOf(corpus.providerConfig);
    if (vectorDbId === undefined || !this.settings.runtimeEnforcement) return UNGOVERNED;
    const use = { tenantId: corpus.tenantId, corpusId: corpus.id, vectorDbId, action };
    const { changes } = this.lately;
    let found: AttachedCorpus | undefined;
    try {
      found = await this.corpora.find(vectorDbId, corpus.id);
    } catch (error) {
      this.lately.requireLately(use, error);
      const decision = { engine: 'vector_db', effect: 'note', code: 'GOVERNANCE_UNAVAILABLE' } as const;
      return { decisions: [decision], vectorDbId, attachmentId: null, vectorDbRegion: null };
    }
    if (found === undefined) throw this.#notAttached(use);
    const verdict = accessVerdict(found.facts);
    const { mode, id: attachmentId, region: vectorDbRegion } = found.attachment;
    if (verdict.refusal === undefined && mode === 'monitor') this.lately.remember(use, changes);
    else this.lately.forget(use);
    await this.records.write(corpus.id, found, verdict);
    if (verdict.refusal !== undefined) throw this.#refuse(use, found, verdict);
    return { decisions: verdict.decisions, vectorDbId, attachmentId, vectorDbRegion };
  }

  #notAttached(use: GovernedUse): Error {
    this.lately.forget(use);
    const { corpusId, action } = use;
    const error = vectorDbsErrors.VECTOR_DB_NOT_ATTACHED();
    this.records.refused(corpusId, error.code, { action, attachment_id: null, notes: [], mode: null });
    return error;
  }

  #refuse({ corpusId, action }: GovernedUse, { attachment, facts }: AttachedCorpus, verdict: AccessVerdict): Error {
    const { refusal = 'BYOK_POSTURE_VETO', notes } = verdict;
    this.records.refused(corpusId, refusal, { action, attachment_id: attachment.id, notes, mode: attachment.mode });
    const details = {
      attachment_id: attachment.id,
      provider_key_id: facts.key.keyId,
      notes,
      workload_status: facts.key.workloadStatus,
    };
    return vectorDbsErrors[refusal]({ status: 403, details });
  }
}
