import { Body, Controller, Headers, Inject, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext } from '../../../kernel/context.js';
import { AppError, isAppError } from '../../../kernel/errors.js';
import { Ids } from '../../../kernel/ids.js';
import type { Principal } from '../../../kernel/principal.js';
import { Clock } from '../../../kernel/time.js';
import { lastSeen, Operation } from '../../../platform/http/index.js';
import { presentable } from '../application/failures.js';
import { RunSlots } from '../application/run-slots.js';
import { ClientGone, principalOf, type Question, type Run, type RunSink } from '../application/run.js';
import { acceptMetadataFilter } from '../../retrieval/index.js';
import { GATE_ERRORS } from '../../vector-dbs/index.js';
import { Runs } from '../application/runs.js';
import { AnswerDraft, type Answer } from '../application/answer-graph.js';
import type { RunEventData } from '../domain/sse.js';
import { runErrors } from '../run.errors.js';
import { runSettings, type RunSettings } from '../run.settings.js';
import type { EventStream } from './event-stream.js';
import { EventStreams } from './event-streams.js';
import { RunDto } from './run.dto.js';

/** `stream:false`: nothing is sent before the end. */
const QUIET: RunSink = { send: () => undefined, delta: () => undefined, ready: () => Promise.resolve() };

@Controller('v1/run')
export class RunController {
  constructor(
    private readonly runs: Runs,
    private readonly slots: RunSlots,
    private readonly streams: EventStreams,
    private readonly clock: Clock,
    private readonly ids: Ids,
    @Inject(runSettings.token) private readonly settings: RunSettings,
  ) {}

  @Post()
  @Operation({
    id: 'run.create',
    summary: 'Answer a question over a corpus, streamed with citations',
    role: 'reader',
    rateClass: 'run',
    cost: 3,
    response: 'stream',
    body: 'json',
    audit: ['run.invoked', 'run.completed'],
    errors: [
      'NOT_FOUND',
      'AUTHZ_DENIED',
      'SESSION_BUSY',
      'SERVICE_BUSY',
      'FEATURE_NOT_ENABLED',
      'residency.provider_mismatch',
      'residency.egress_blocked',
      'RUN_INTERRUPTED',
      'RECEIPT_SIGNING_UNAVAILABLE',
      'RECEIPT_UNAVAILABLE',
      'DB_ERROR',
      ...GATE_ERRORS,
    ],
  })
  async run(
    @Body() body: RunDto,
    @Res() response: Response,
    @Headers('last-event-id') lastEventId?: string,
    @Headers('x-run-id') resumedRunId?: string,
  ): Promise<void> {
    const question = this.#question(body);
    if (lastEventId !== undefined) {
      const after = lastSeen(lastEventId);
      if (await this.#resumed(resumedRunId, after, response)) return;
      return this.streams.refuseResume(question.sessionId, response);
    }
    const principal = principalOf(currentContext());
    const release = this.slots.acquire(principal.tenantId);
    try {
      const id = this.ids.uuid();
      if (body.stream !== false) await this.#stream(id, question, principal, response);
      else await this.#single(id, question, principal, response);
    } finally {
      release();
    }
  }

  #question({ session_id, corpus_id, message, top_k, audio, background, filter, ...receipt }: RunDto): Question {
    if ([...message].length > this.settings.maxMessageChars) {
      const msg = `must be at most ${this.settings.maxMessageChars} characters`;
      const errors = [{ loc: ['body', 'message'], msg, type: 'maxLength' }];
      throw commonErrors.REQUEST_VALIDATION_ERROR({ details: { errors } });
    }
    const accepted = filter == null ? undefined : acceptMetadataFilter(filter);
    if (accepted?.ok === false) {
      const errors = [{ loc: ['body', 'filter'], msg: accepted.reason, type: 'filter' }];
      throw commonErrors.REQUEST_VALIDATION_ERROR({ details: { errors } });
    }
    return {
      sessionId: session_id,
      corpusId: corpus_id,
      message,
      ...(top_k == null ? {} : { topK: top_k }),
      audio: audio === true,
      background: background === true,
      idempotencyKey: currentContext().idempotencyKey,
      filter: accepted?.filter,
      receipt: {
        emit: receipt.emit_receipt === true,
        queryId: receipt.query_id ?? undefined,
        taskId: receipt.task_id ?? undefined,
        parentReceiptId: receipt.parent_receipt_id ?? undefined,
      },
    };
  }

  async #stream(id: string, question: Question, principal: Principal, response: Response): Promise<void> {
    const run = await this.#accept(id, question, principal);
    const stream = this.streams.ofRun(id, question.sessionId, response);
    const draft = new AnswerDraft();
    try {
      if (!(run instanceof AppError)) nameReceipt(run, response);
      stream.open();
      const topK = run instanceof AppError ? 0 : run.topK;
      stream.send('request.accepted', { accepted_at: this.clock.now().toISOString(), top_k_effective: topK });
      if (run instanceof AppError) stream.send('error', publicError(run));
      else await this.#answer(run, stream, draft);
      stream.send('done', { receipt_id: draft.receiptId });
    } catch (error) {
      stream.abandon();
      throw error;
    }
    stream.close();
  }

  /** The run, or the failure to store it, which the stream tells once it is open. */
  async #accept(id: string, question: Question, principal: Principal): Promise<Run | AppError> {
    try {
      return await this.runs.accept(id, question, principal);
    } catch (error) {
      if (!isAppError(error, 'DB_ERROR')) throw error;
      return error;
    }
  }

  async #answer(run: Run, stream: EventStream, draft: AnswerDraft): Promise<void> {
    try {
      const answer = await this.runs.answer(run, stream, stream.gone, draft);
      stream.send('message.final', finalOf(answer, draft));
      if (run.question.audio) stream.send('audio.error', publicError(runErrors.TTS_CONFIG_MISSING()));
    } catch (error) {
      stream.send('error', publicError(error instanceof ClientGone ? runErrors.RUN_CANCELLED() : presentable(error)));
    }
  }

  async #single(id: string, question: Question, principal: Principal, response: Response): Promise<void> {
    const run = await this.runs.accept(id, question, principal);
    response.setHeader('X-Run-Id', id);
    nameReceipt(run, response);
    const draft = new AnswerDraft();
    const gone = new AbortController();
    const leave = (): void => gone.abort(new ClientGone());
    response.once('close', leave);
    if (response.destroyed) leave();
    try {
      const answer = await this.runs.answer(run, QUIET, gone.signal, draft);
      response.off('close', leave);
      const data = { run_id: id, session_id: question.sessionId, ...finalOf(answer, draft) };
      const context = currentContext();
      response.json(
        context.apiVersion === 'legacy' ? data : { data, meta: { request_id: context.requestId, api_version: 'v1' } },
      );
    } catch (error) {
      if (!(error instanceof ClientGone)) throw presentable(error);
    }
  }

  /** A store of frames that is away has none. */
  async #resumed(runId: string | undefined, after: number, response: Response): Promise<boolean> {
    try {
      return runId !== undefined && (await this.streams.resume(runId, after, response));
    } catch (error) {
      if (isAppError(error, 'SHARED_STATE_UNAVAILABLE')) return false;
      throw error;
    }
  }
}

function nameReceipt({ receipt }: Run, response: Response): void {
  if (receipt !== undefined) response.setHeader('X-Receipt-Id', receipt.id);
}

function finalOf({ text, citations, usage }: Answer, { receiptId }: AnswerDraft): RunEventData['message.final'] {
  return { text, citations, usage, receipt_id: receiptId, receipt_emitted: receiptId !== null };
}

function publicError({ code, message }: AppError): { code: string; message: string } {
  return { code, message };
}
