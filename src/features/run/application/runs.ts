import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { follow } from '../../../kernel/abort.js';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext } from '../../../kernel/context.js';
import { AppError } from '../../../kernel/errors.js';
import { Ids } from '../../../kernel/ids.js';
import { Log } from '../../../kernel/log.js';
import type { Principal } from '../../../kernel/principal.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Corpora, CorpusRules } from '../../corpora/index.js';
import { idempotencyErrors } from '../../idempotency/index.js';
import { DocumentAccess } from '../../rbac-abac/index.js';
import { ReceiptOpening, ReceiptWriter, type Outcome } from '../../receipts/index.js';
import { Retriever } from '../../retrieval/index.js';
import { VectorDbAccess } from '../../vector-dbs/index.js';
import { ConversationsRepository } from '../persistence/conversations.repository.js';
import { runErrors } from '../run.errors.js';
import { runSettings, type RunSettings } from '../run.settings.js';
import { AnswerGraph, receiptToClose, sessionKey, type Answer, type AnswerDraft } from './answer-graph.js';
import { presentable, stored } from './failures.js';
import { RunSlots } from './run-slots.js';
import { ClientGone, type Question, type Run, type RunSink } from './run.js';

/** A claim outlives the run's own time limit, so that no other run gets in while this one is ending. */
const CLAIM_MARGIN_MS = 5000;
const MOST_PAUSE_MS = 4000;

/** Answers one question at a time per session and a bounded number at once; see 02 of the specification. */
@Injectable()
export class Runs implements OnApplicationBootstrap {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly corpora: Corpora,
    private readonly access: DocumentAccess,
    private readonly vectorDbs: VectorDbAccess,
    private readonly retriever: Retriever,
    private readonly rules: CorpusRules,
    private readonly opening: ReceiptOpening,
    private readonly receipts: ReceiptWriter,
    private readonly conversations: ConversationsRepository,
    private readonly graph: AnswerGraph,
    private readonly slots: RunSlots,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly log: Log,
    @Inject(runSettings.token) private readonly settings: RunSettings,
  ) {}

  onApplicationBootstrap(): void {
    this.graph.warm().catch((error: unknown) => this.log.error({ err: error }, 'the answer graph did not load'));
  }

  /**
   * Takes the question: claims its session and stores the message.
   *
   * @param id of the run to be.
   * @throws NOT_FOUND (corpus), AUTHZ_DENIED, IDEMPOTENCY_KEY_CONFLICT, SESSION_BUSY, FEATURE_NOT_ENABLED,
   * REQUEST_VALIDATION_ERROR (parent receipt), RECEIPT_SIGNING_UNAVAILABLE, residency.provider_mismatch,
   * residency.egress_blocked, what the gate of a governed corpus throws, and DB_ERROR, having stored nothing.
   */
  async accept(id: string, question: Question, principal: Principal): Promise<Run> {
    const { requestId } = currentContext();
    try {
      return await stored(() => this.#accept(id, question, principal, requestId));
    } catch (error) {
      this.#logFault(error, requestId, id);
      throw error;
    }
  }

  /** In the order in which what refuses a run is asked; see README.md. */
  async #accept(id: string, question: Question, principal: Principal, requestId: string): Promise<Run> {
    const now = this.clock.now();
    const startedAt = this.clock.monotonic();
    const corpus = await this.corpora.get(question.corpusId);
    const allowed = await this.access.requireRun(corpus.id);
    const rules = await this.rules.current();
    const entitled = this.retriever.admit(corpus, rules.plan);
    if (question.audio) entitled.push(rules.plan.require('feature.tts'));
    const placed = rules.admitUse(corpus, 'run');
    const grant = await this.vectorDbs.require(corpus, 'retrieve');
    const receipt = await this.opening.open(question.receipt);
    const topK = this.retriever.topK(corpus, question.topK);
    const decisions = [...allowed, ...entitled, ...placed, ...grant.decisions];
    const run = { id, requestId, principal, question, corpus, topK, ...grant, decisions, receipt, startedAt };
    await this.uow.run(() => this.#store(run, now));
    return run;
  }

  /** @throws SESSION_BUSY, IDEMPOTENCY_KEY_CONFLICT */
  async #store(run: Run, now: Date): Promise<void> {
    const until = new Date(now.getTime() + this.settings.timeoutSeconds * 1000 + CLAIM_MARGIN_MS);
    if (!(await this.#begin(run, now, until))) throw runErrors.SESSION_BUSY();
    await this.audit.record({
      event: 'run.invoked',
      outcome: 'success',
      resourceType: 'run',
      resourceId: run.requestId,
      metadata: {
        run_id: run.id,
        session_id: run.question.sessionId,
        corpus_id: run.corpus.id,
        top_k_requested: run.question.topK ?? null,
        top_k_effective: run.topK,
        audio_requested: run.question.audio,
        audio_effective: false,
      },
    });
  }

  /** Claims the session and stores the question, unless a former try with the same key has. */
  async #begin(run: Run, now: Date, until: Date): Promise<boolean> {
    const { idempotencyKey, message } = run.question;
    const key = sessionKey(run);
    const asked = idempotencyKey === undefined ? undefined : await this.conversations.asked(key, idempotencyKey);
    if (asked !== undefined) {
      if (asked.content !== message) throw idempotencyErrors.IDEMPOTENCY_KEY_CONFLICT();
      return this.conversations.beginAgain(key, asked.id, run.id, now, until);
    }
    const question = {
      id: this.ids.uuid(),
      runId: run.id,
      role: 'user',
      content: message,
      status: 'complete',
      usage: null,
    } as const;
    return this.conversations.begin(key, question, now, until, idempotencyKey);
  }

  /**
   * Answers an accepted question into the sink.
   *
   * @param gone aborted with ClientGone when nobody listens any more; the partial answer is then kept as cancelled,
   * unless the run was asked for in the background.
   * @param draft also holds, when it fails, what has become of it.
   * @throws AppError with a code that may be shown, or ClientGone.
   */
  async answer(run: Run, sink: RunSink, gone: AbortSignal, draft: AnswerDraft): Promise<Answer> {
    const controller = new AbortController();
    const timer = this.clock.after(this.settings.timeoutSeconds * 1000, () =>
      controller.abort(runErrors.RUN_TIMEOUT()),
    );
    const ends = run.question.background ? [this.slots.interrupted] : [gone, this.slots.interrupted];
    const unlink = ends.map((signal) => follow(controller, signal));
    try {
      return await this.graph.answer({ run, sink, signal: controller.signal, draft });
    } catch (error) {
      throw await this.#failed(run, draft, controller.signal.aborted ? controller.signal.reason : error);
    } finally {
      timer.cancel();
      for (const stop of unlink) stop();
    }
  }

  /** Frees the session, keeps what a client that left had been sent, and gives the error that may be shown. */
  async #failed(run: Run, draft: AnswerDraft, error: unknown): Promise<Error> {
    const shown = error instanceof ClientGone ? error : presentable(error);
    this.#logFault(shown, run.requestId, run.id);
    // Once, however often it is tried: a commit may have succeeded without an answer.
    const leave = (): Promise<void> =>
      stored(() =>
        this.receipts.close(receiptToClose(run, draft), async () => {
          const held = await this.conversations.release(sessionKey(run), run.id);
          // Otherwise the answer was stored after all, and that is on record.
          if (held) await this.#recordFailure(run, shown);
          const kept = held && error instanceof ClientGone && draft.text !== '';
          return outcomeOf(draft, shown, kept ? await this.#keepPartial(run, draft) : null);
        }),
      );
    await leave().catch((failure: unknown) => {
      this.log.warn({ err: failure, run_id: run.id }, 'a failed run could not free its session; it tries again');
      void this.#insist(run, leave);
    });
    return shown;
  }

  /** While the database is away. Without it the session would refuse questions until the claim ends by itself. */
  async #insist(run: Run, leave: () => Promise<void>): Promise<void> {
    const claimed = run.startedAt + this.settings.timeoutSeconds * 1000 + CLAIM_MARGIN_MS;
    for (let pause = 250; this.clock.monotonic() < claimed; pause = Math.min(2 * pause, MOST_PAUSE_MS)) {
      await this.clock.sleep(pause);
      const left = await leave().then(
        () => true,
        () => false,
      );
      if (left) return;
    }
  }

  #logFault(error: unknown, requestId: string, runId: string): void {
    if (!(error instanceof AppError) || error.status < 500) return;
    this.log.error({ err: error, request_id: requestId, run_id: runId, code: error.code }, 'run failed');
  }

  async #recordFailure(run: Run, shown: Error): Promise<void> {
    await this.audit.record({
      event: 'run.failed',
      outcome: 'failure',
      resourceType: 'run',
      resourceId: run.requestId,
      errorCode: codeOf(shown) ?? 'CLIENT_GONE',
      metadata: {
        run_id: run.id,
        session_id: run.question.sessionId,
        corpus_id: run.corpus.id,
        latency_ms: Math.round(this.clock.monotonic() - run.startedAt),
      },
    });
  }

  async #keepPartial(run: Run, draft: AnswerDraft): Promise<string> {
    const id = this.ids.uuid();
    await this.conversations.append(sessionKey(run), {
      id,
      runId: run.id,
      role: 'assistant',
      content: draft.text,
      status: 'cancelled',
      usage: draft.usage,
    });
    return id;
  }
}

function outcomeOf({ text, usage }: AnswerDraft, shown: Error, messageId: string | null): Outcome {
  const errorCode = codeOf(shown);
  const status = errorCode === null ? 'disconnected' : 'error';
  return { status, errorCode, answer: text === '' ? null : text, messageId, usage };
}

/** Null for a client that left. */
function codeOf(shown: Error): string | null {
  return shown instanceof AppError ? shown.code : null;
}
