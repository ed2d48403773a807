import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditTrail } from '../../../kernel/audit.js';
import { contextBlock } from '../../../kernel/context-block.js';
import { currentContext, runInContext, type Context } from '../../../kernel/context.js';
import { isAppError } from '../../../kernel/errors.js';
import { sha256Hex } from '../../../kernel/hash.js';
import type { Principal } from '../../../kernel/principal.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Corpora, CorpusRules, type Corpus } from '../../corpora/index.js';
import { parseBundle, type Bundle } from '../../policy-bundles/index.js';
import { Retriever, type Retrieval } from '../../retrieval/index.js';
import { VectorDbAccess } from '../../vector-dbs/index.js';
import { readBody } from '../domain/canonical-form.js';
import type { ReceiptBody } from '../domain/receipt-body.js';
import { replayDiff, type ReplayDiff } from '../domain/replay-diff.js';
import type { Verdict } from '../domain/signature.js';
import { snapshotsMatch } from '../domain/verification.js';
import { ReceiptsRepository, type StoredReceipt } from '../persistence/receipts.repository.js';
import { receiptsErrors } from '../receipts.errors.js';
import { askerOf, QuestionVault, type KeptQuestion } from './question-vault.js';
import { ReceiptOpening } from './receipt-opening.js';
import type { RetrievalFacts } from './receipt-facts.js';
import { ReceiptWriter, type ComposedReceipt } from './receipt-writer.js';
import { Receipts } from './receipts.js';

export interface Replay {
  readonly originalReceiptId: string;
  /** Null when its receipt could not be written. */
  readonly replayReceiptId: string | null;
  readonly originalVerify: Verdict;
  readonly diff: ReplayDiff;
}

/**
 * Retrieves again what a receipt says was retrieved: the same question by the same somebody with the same number of
 * passages under the policy bundle of then, over the documents and with the program of now. No model is asked. What
 * differs is in the diff, and the replay gets a receipt of its own.
 */
@Injectable()
export class Replays {
  constructor(
    private readonly receipts: Receipts,
    private readonly stored: ReceiptsRepository,
    private readonly vault: QuestionVault,
    private readonly corpora: Corpora,
    private readonly rules: CorpusRules,
    private readonly vectorDbs: VectorDbAccess,
    private readonly retriever: Retriever,
    private readonly opening: ReceiptOpening,
    private readonly writer: ReceiptWriter,
    private readonly audit: AuditTrail,
    private readonly uow: UnitOfWork,
  ) {}

  /**
   * @param principal who wants to know.
   * @throws unreplayable.…; what residency, the gate of a governed corpus and
   * retrieval throw.
   */
  async replay(original: StoredReceipt, principal: Principal): Promise<Replay> {
    const originalVerify = this.receipts.verdict(original);
    const body = replayable(original);
    const bundle = bundleOf(body);
    const question = await this.#question(original, body);
    const corpus = await this.#corpus(body.corpus_id);
    const residency = (await this.rules.current()).admitUse(corpus, 'search');
    const { decisions, ...governed } = await this.vectorDbs.require(corpus, 'retrieve');
    const retrieval = await this.#retrieve(corpus, body, bundle, question);
    const receipt = await this.opening.openReplay({
      queryId: body.query_id,
      taskId: body.task_id ?? undefined,
      parentReceiptId: body.receipt_id,
    });
    const facts: RetrievalFacts = {
      tenantId: original.tenant_id,
      requestId: currentContext().requestId,
      principal,
      sessionId: body.session_id,
      corpusId: corpus.id,
      query: question.query,
      filter: undefined,
      topKRequested: body.retrieval.top_k_requested ?? undefined,
      topK: body.retrieval.top_k_effective,
      retrieval,
      context: contextBlock(retrieval.passages),
      decisions: [...residency, ...decisions],
      ...governed,
      asked: null,
    };
    const replayOf = (child: ComposedReceipt): Replay => ({
      originalReceiptId: body.receipt_id,
      replayReceiptId: child.stored ? receipt.id : null,
      originalVerify,
      diff: replayDiff(body, child.body),
    });
    return replayOf(await this.writer.writeReplay(receipt, facts, (child) => this.#record(replayOf(child))));
  }

  async #question({ tenant_id, receipt_id }: StoredReceipt, body: ReceiptBody): Promise<KeptQuestion> {
    const sealed = await this.uow.read(() => this.stored.query(receipt_id));
    const question = sealed && this.vault.open(tenant_id, receipt_id, sealed);
    if (question === undefined || sha256Hex(question.query) !== body.query_sha256) {
      throw receiptsErrors['unreplayable.query_unavailable']();
    }
    return question;
  }

  async #corpus(id: string): Promise<Corpus> {
    try {
      return await this.corpora.get(id);
    } catch (error) {
      throw isAppError(error, 'NOT_FOUND') ? receiptsErrors['unreplayable.corpus_missing']() : error;
    }
  }

  async #retrieve(
    corpus: Corpus,
    body: ReceiptBody,
    bundle: Bundle | undefined,
    question: KeptQuestion,
  ): Promise<Retrieval> {
    const screen = {
      bundle,
      mode: body.policy_snapshot.policy_mode,
      caller: { type: body.caller_type, id: body.caller_id },
    };
    const request = {
      query: question.query,
      topK: body.retrieval.top_k_effective,
      reader: 'principal',
      screen,
    } as const;
    const filter = question.filter as Parameters<Retriever['retrieve']>[1]['filter'];
    return runInContext(contextOfThen(question, corpus.tenantId), () =>
      this.retriever.retrieve(corpus, { ...request, filter }),
    );
  }

  async #record({ originalReceiptId, replayReceiptId, originalVerify, diff }: Replay): Promise<void> {
    await this.audit.record({
      event: 'receipt.replayed',
      outcome: 'success',
      resourceType: 'receipt',
      resourceId: originalReceiptId,
      metadata: {
        receipt_id: originalReceiptId,
        replay_receipt_id: replayReceiptId,
        verdict: originalVerify.reason,
        drift_class: diff.drift_class,
      },
    });
  }
}

/** As much of a body as a replay reads. One that somebody tampered with may lack any of it. */
const readable = z.looseObject({
  receipt_id: z.string(),
  corpus_id: z.string(),
  session_id: z.string(),
  query_id: z.string(),
  caller_id: z.string(),
  caller_type: z.string(),
  selected_entries: z.array(z.looseObject({ content_sha256: z.string() })),
  retrieval: z.looseObject({ top_k_effective: z.int().positive() }),
  model: z.looseObject({}),
  policy: z.looseObject({ filters_applied: z.array(z.looseObject({})) }),
  policy_snapshot: z.looseObject({ policy_mode: z.enum(['log_only', 'enforce']) }),
  output: z.looseObject({}),
});

/** The signed body. @throws unreplayable.nested_replay, .missing_policy_snapshot, .invalid_snapshot */
function replayable(original: StoredReceipt): ReceiptBody {
  if (original.mode === 'as_of_replay') throw receiptsErrors['unreplayable.nested_replay']();
  if (original.policy_snapshot === null) throw receiptsErrors['unreplayable.missing_policy_snapshot']();
  const body = readBody(original.body_canonical) as unknown as ReceiptBody | undefined;
  if (
    body === undefined ||
    !readable.safeParse(body).success ||
    !snapshotsMatch(original.policy_snapshot, body.policy_snapshot)
  ) {
    throw receiptsErrors['unreplayable.invalid_snapshot']();
  }
  return body;
}

/** @throws unreplayable.invalid_snapshot */
function bundleOf({ policy_snapshot: snapshot }: ReceiptBody): Bundle | undefined {
  if (snapshot.bundle_yaml === null && snapshot.bundle_hash === null) return undefined;
  const parsed = parseBundle(snapshot.bundle_yaml ?? '');
  if (!parsed.ok || parsed.bundle.hash !== snapshot.bundle_hash) {
    throw receiptsErrors['unreplayable.invalid_snapshot']();
  }
  return parsed.bundle;
}

/** The request of then, as far as rules can ask about it. */
function contextOfThen(question: KeptQuestion, tenantId: string): Context {
  const { requestId, trail, operation } = currentContext();
  return {
    requestId,
    trail,
    tenantId,
    principal: askerOf(question, tenantId),
    method: 'POST',
    path: '/v1/run',
    ...(operation === undefined ? {} : { operation: { ...operation, rateClass: 'run' } }),
    ...(question.ipAddress === undefined ? {} : { ipAddress: question.ipAddress }),
  };
}
