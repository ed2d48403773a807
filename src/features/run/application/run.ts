import type { Context } from '../../../kernel/context.js';
import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import type { Principal } from '../../../kernel/principal.js';
import type { Corpus } from '../../corpora/index.js';
import type { OpenReceipt, ReceiptWish } from '../../receipts/index.js';
import type { MetadataFilter } from '../../retrieval/index.js';
import type { RunEventData, RunEventType } from '../domain/sse.js';

export { ClientGone, type FrameReader } from '../../../kernel/frame-reader.js';

export interface Question {
  readonly sessionId: string;
  readonly corpusId: string;
  readonly message: string;
  readonly topK?: number;
  readonly audio: boolean;
  readonly filter?: MetadataFilter | undefined;
  /** Whether the answer is finished when its client leaves. */
  readonly background: boolean;
  /** A question that is repeated with the same key is stored once. */
  readonly idempotencyKey: string | undefined;
  readonly receipt: ReceiptWish;
}

/** An accepted question: its session is claimed and its message stored. */
export interface Run {
  readonly id: string;
  readonly requestId: string;
  readonly principal: Principal;
  readonly question: Question;
  readonly corpus: Corpus;
  readonly topK: number;
  /** What the rules said that let it through. */
  readonly decisions: readonly PolicyDecision[];
  /** How the corpus is governed; null where it is not. */
  readonly vectorDbId: number | null;
  readonly attachmentId: string | null;
  readonly vectorDbRegion: string | null;
  /** Undefined when its answer gets none. */
  readonly receipt: OpenReceipt | undefined;
  /** Monotonic milliseconds of the acceptance. */
  readonly startedAt: number;
}

/** Where the events of a run go. */
export interface RunSink {
  send<T extends RunEventType>(type: T, data: RunEventData[T]): void;
  /** Text of the answer as it comes; may be joined with what follows. */
  delta(text: string): void;
  /** Resolves when more may be sent: at once, or when a slow reader has caught up. */
  ready(): Promise<void>;
}

export function principalOf({ principal }: Context): Principal {
  if (principal === undefined) throw new Error('A run needs a principal.');
  return principal;
}
