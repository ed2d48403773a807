import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import type { Principal } from '../../../kernel/principal.js';
import type { MetadataFilter, Retrieval } from '../../retrieval/index.js';
import type { Assembly } from '../domain/compose-receipt.js';
import type { KeyChoice } from '../domain/signing-keys.js';

/** What a caller may say about the receipt of its answer. */
export interface ReceiptWish {
  readonly emit: boolean;
  readonly queryId: string | undefined;
  readonly taskId: string | undefined;
  readonly parentReceiptId: string | undefined;
}

/** A receipt that is to be written: its id is known, and so is its key. */
export interface OpenReceipt extends Omit<ReceiptWish, 'emit'> {
  readonly id: string;
  readonly createdAt: Date;
  /** Whether there is no answer without it. */
  readonly required: boolean;
  readonly key: KeyChoice;
  readonly tenantPin: string | null;
}

/** A question and what was found for it. */
export interface RetrievalFacts {
  readonly tenantId: string;
  readonly requestId: string;
  /** Who is answered. */
  readonly principal: Principal;
  readonly sessionId: string;
  readonly corpusId: string;
  readonly query: string;
  readonly filter: MetadataFilter | undefined;
  readonly topKRequested: number | undefined;
  readonly topK: number;
  readonly retrieval: Retrieval;
  /** Exactly what the model is given of it. */
  readonly context: string;
  readonly decisions: readonly PolicyDecision[];
  /** How the corpus is governed; null where it is not. */
  readonly vectorDbId: number | null;
  readonly attachmentId: string | null;
  /** Of the vector database; null where it is not known. */
  readonly vectorDbRegion: string | null;
  readonly asked: Omit<NonNullable<Assembly['asked']>, 'region'> | null;
}
