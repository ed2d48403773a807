import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext } from '../../../kernel/context.js';
import { isAppError } from '../../../kernel/errors.js';
import { sha256Hex } from '../../../kernel/hash.js';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { EMBED_DIM } from '../../../platform/model-gateway/index.js';
import { Residency } from '../../residency/index.js';
import { outcomeBody, type Outcome } from '../domain/outcome.js';
import { composeReceipt, type Assembly } from '../domain/compose-receipt.js';
import { MOST_BODY_BYTES, type Mode, type ReceiptBody } from '../domain/receipt-body.js';
import { signed, type Signed } from '../domain/signature.js';
import type { KeyChoice } from '../domain/signing-keys.js';
import { ReceiptsRepository, type NewReceipt } from '../persistence/receipts.repository.js';
import { receiptsErrors } from '../receipts.errors.js';
import { receiptsSettings, type ReceiptsSettings } from '../receipts.settings.js';
import { QuestionVault } from './question-vault.js';
import type { OpenReceipt, RetrievalFacts } from './receipt-facts.js';
import { ReceiptRetries, type Missing } from './receipt-retries.js';

/**
 * What has become of a receipt. `pending`: it is composed, and will be stored as soon as that is possible. `none`: it
 * could not be composed.
 */
export type ReceiptFate = 'stored' | 'pending' | 'none';

/** A receipt as it was composed, whether or not it could be stored. */
export interface ComposedReceipt {
  readonly body: ReceiptBody;
  readonly stored: boolean;
}

/**
 * Writes receipts. The body is composed and signed from what the model is about to be given, and stored with one
 * statement that commits by itself, so that it can neither wait for the answer nor fail it.
 */
@Injectable()
export class ReceiptWriter {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly receipts: ReceiptsRepository,
    private readonly vault: QuestionVault,
    private readonly retries: ReceiptRetries,
    private readonly residency: Residency,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(receiptsSettings.token) private readonly settings: Pick<ReceiptsSettings, 'disabled'>,
  ) {}

  /**
   * Before the model is asked. One that cannot be stored now is tried again later, unless the answer depends on it. Not
   * inside a unit of work.
   *
   * @throws RECEIPT_UNAVAILABLE, RECEIPT_SIGNING_UNAVAILABLE for a receipt that is required.
   */
  async write(receipt: OpenReceipt, facts: RetrievalFacts): Promise<ReceiptFate> {
    return this.#store(receipt, facts.requestId, () => {
      const { body, record } = this.#compose('retrieval', receipt, facts);
      const sealed = this.vault.seal(receipt.id, facts);
      const query = { ownerId: facts.principal.subjectId, sessionId: facts.sessionId, sealed };
      return { ...newReceipt(body, record), query };
    });
  }

  /**
   * The receipt of a replay: nobody is given an answer that depends on it.
   *
   * @param beside records what was done, in the transaction of the receipt; where that fails, without it.
   */
  async writeReplay(
    receipt: OpenReceipt,
    facts: RetrievalFacts,
    beside: (composed: ComposedReceipt) => Promise<void>,
  ): Promise<ComposedReceipt> {
    const { body, record } = this.#compose('as_of_replay', receipt, facts);
    if (!this.settings.disabled) {
      const stored = { body, stored: true };
      try {
        await this.uow.run(async () => {
          await this.receipts.insert({ ...newReceipt(body, record), query: undefined });
          await beside(stored);
        });
        return stored;
      } catch (error) {
        this.log.warn({ err: error, receipt_id: receipt.id, request_id: facts.requestId }, 'receipt_emission_failed');
        this.#note('receipt.emission_failed', receipt, 'not stored');
      }
    }
    const composed = { body, stored: false };
    await this.uow.run(() => beside(composed));
    return composed;
  }

  /**
   * Stores an answer, or ends the run without one, with the outcome of its receipt in the same transaction. An outcome
   * that is refused costs the answer nothing: the change is made once more without it, and the outcome is tried again
   * later. Not inside a unit of work.
   *
   * @param receipt undefined when there is none.
   * @param change has no effects outside the database.
   * @throws what `change` and the commit throw.
   */
  async close(receipt: OpenReceipt | undefined, change: () => Promise<Outcome>): Promise<void> {
    if (receipt === undefined) {
      await this.uow.run(change);
      return;
    }
    const closing: { record?: Signed; refusal?: unknown } = {};
    try {
      await this.uow.run(async () => {
        closing.refusal = undefined;
        const outcome = await change();
        try {
          closing.record = this.#signOutcome(receipt, outcome);
          await this.receipts.insertOutcome(receipt.id, closing.record);
        } catch (error) {
          closing.refusal = error;
          throw error;
        }
      });
    } catch (error) {
      if (closing.refusal === undefined) throw error;
      await this.uow.run(change);
      this.log.warn({ err: closing.refusal, receipt_id: receipt.id }, 'receipt_outcome_failed');
      this.#note('receipt.emission_failed', receipt, 'outcome not stored');
      const { record } = closing;
      if (record !== undefined) this.#later(receipt, record);
    }
  }

  #signOutcome(receipt: OpenReceipt, outcome: Outcome): Signed {
    const body = outcomeBody(receipt.id, outcome, this.clock.now());
    return this.#sign({ ...receipt, required: false }, () => body).record;
  }

  #compose(mode: Mode, receipt: OpenReceipt, facts: RetrievalFacts): { body: ReceiptBody; record: Signed } {
    const { principal, retrieval } = facts;
    const { zone = null } = this.residency;
    const occasion = {
      receiptId: receipt.id,
      parentReceiptId: receipt.parentReceiptId ?? null,
      mode,
      tenantId: facts.tenantId,
      requestId: facts.requestId,
      queryId: receipt.queryId ?? facts.requestId,
      taskId: receipt.taskId ?? null,
      sessionId: facts.sessionId,
      corpusId: facts.corpusId,
      querySha256: sha256Hex(facts.query),
      caller: { id: principal.apiKeyId, type: principal.callerType ?? principal.role },
      createdAt: receipt.createdAt,
      asOf: this.clock.now(),
      zone,
      site: this.residency.site,
      tenantPin: receipt.tenantPin,
    };
    const assembly: Assembly = {
      ...retrieval,
      // The only provider that can be reached is the database of this process, unless governance says where its data is.
      providerRegion: facts.vectorDbId === null ? zone : facts.vectorDbRegion,
      context: facts.context,
      embeddingDim: EMBED_DIM,
      topKRequested: facts.topKRequested ?? null,
      topKEffective: facts.topK,
      decisions: facts.decisions,
      vectorDbId: facts.vectorDbId,
      attachmentId: facts.attachmentId,
      asked: facts.asked && { ...facts.asked, region: this.residency.llmRegion },
    };
    const { status, requestedKeyId } = receipt.key;
    if (status === 'key_unavailable') {
      this.log.warn({ tenant_id: facts.tenantId, key_id: requestedKeyId }, 'receipt_signing_key_unavailable');
      this.#note('receipt.unsigned', receipt, status);
    }
    return this.#sign(receipt, (status) =>
      composeReceipt(occasion, assembly, { requestedKeyId: receipt.key.requestedKeyId, status }),
    );
  }

  /** Without a signature when the key fails. @throws RECEIPT_SIGNING_UNAVAILABLE when that may not be. */
  #sign<T extends object>(
    receipt: OpenReceipt,
    bodyOf: (status: KeyChoice['status']) => T,
  ): { body: T; record: Signed } {
    const { key, status, requestedKeyId } = receipt.key;
    const body = bodyOf(status);
    try {
      return { body, record: signed(body, key) };
    } catch (error) {
      if (receipt.required) throw receiptsErrors.RECEIPT_SIGNING_UNAVAILABLE({ cause: error });
      this.log.warn({ err: error, receipt_id: receipt.id, key_id: requestedKeyId }, 'receipt_signing_failed');
      this.#note('receipt.unsigned', receipt, 'failed');
      const unsigned = bodyOf('failed');
      return { body: unsigned, record: signed(unsigned, undefined) };
    }
  }

  /** @param make composes it; what fails there is as bad as what fails in the database. */
  async #store(receipt: OpenReceipt, requestId: string, make: () => NewReceipt): Promise<ReceiptFate> {
    let made: NewReceipt | undefined;
    try {
      const created = make();
      made = created;
      await this.uow.read(() => this.receipts.insert(created));
      return 'stored';
    } catch (error) {
      if (isAppError(error, 'RECEIPT_SIGNING_UNAVAILABLE')) throw error;
      this.log.warn({ err: error, receipt_id: receipt.id, request_id: requestId }, 'receipt_emission_failed');
      this.#note('receipt.emission_failed', receipt, made === undefined ? 'not composed' : 'not stored');
      if (receipt.required) throw receiptsErrors.RECEIPT_UNAVAILABLE({ cause: error });
      if (made === undefined) return 'none';
      this.#later(receipt, made);
      return 'pending';
    }
  }

  #later({ id }: OpenReceipt, content: Missing['content']): void {
    this.retries.add({ tenantId: currentContext().tenantId ?? '', receiptId: id, content });
  }

  #note(event: 'receipt.unsigned' | 'receipt.emission_failed', { id, key }: OpenReceipt, reason: string): void {
    this.audit.note({
      event,
      outcome: 'failure',
      resourceType: 'receipt',
      resourceId: id,
      metadata: { receipt_id: id, reason, signing_kid: key.requestedKeyId },
    });
  }
}

/** @throws Error for one that is too large. */
function newReceipt(body: ReceiptBody, record: Signed): Omit<NewReceipt, 'query'> {
  if (Buffer.byteLength(record.canonical) > MOST_BODY_BYTES) throw new Error('The receipt is too large.');
  return {
    row: {
      tenant_id: body.tenant_id,
      receipt_id: body.receipt_id,
      parent_receipt_id: body.parent_receipt_id,
      mode: body.mode,
      subject_id: body.subject_id,
      query_id: body.query_id,
      task_id: body.task_id,
      corpus_id: body.corpus_id,
      caller_id: body.caller_id,
      context_hash: body.output.context_hash,
      context_size_bytes: body.output.context_size_bytes,
      policy_bundle_hash: body.policy.policy_bundle_hash,
      region: body.region,
      receipt_signature: record.signature,
      receipt_signature_key_id: record.keyId,
      receipt_signature_algorithm: record.algorithm,
      body_canonical: record.canonical,
      policy_snapshot: body.policy_snapshot,
      as_of: body.as_of,
      created_at: body.created_at,
    },
    chunks: body.selected_entries.map(({ rank, document_id, chunk_id }) => ({ rank, document_id, chunk_id })),
  };
}
