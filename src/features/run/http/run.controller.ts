import { Body, Controller, Headers, Inject, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext } from '../../../kernel/context.js';
import { AppError, isAppError } from '../../../kernel/errors.js';
import type { Principal } from '../../../kernel/principal.js';
import { Clock } from '../../../kernel/time.js';
import { Operation } from '../../../platform/http/index.js';
import { presentable } from '../application/failures.js';
import { Runs } from '../application/runs.js';
import { ClientGone, type Question, type Run, type RunSink } from '../application/run.js';
import { runErrors } from '../run.errors.js';
import { runSettings, type RunSettings } from '../run.settings.js';
import { EventStream } from './event-stream.js';
import { RunDto } from './run.dto.js';

/** `stream:false`: nothing is sent before the end. */
const QUIET: RunSink = { send: () => undefined, delta: () => undefined, ready: () => Promise.resolve() };

@Controller('v1/run')
export class RunController {
  constructor(
    private readonly runs: Runs,
    private readonly clock: Clock,
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
    errors: ['NOT_FOUND', 'SESSION_BUSY', 'SERVICE_BUSY', 'RUN_INTERRUPTED', 'DB_ERROR'],
  })
  async run(
    @Body() body: RunDto,
    @Res() response: Response,
    @Headers('last-event-id') lastEventId?: string,
  ): Promise<void> {
    const question = this.#question(body);
    const { principal } = currentContext();
    if (principal === undefined) throw new Error('A run needs a principal.');
    if (lastEventId !== undefined) return this.#refuseResume(question, lastEventId, response);
    const release = this.runs.acquireSlot();
    try {
      if (body.stream !== false) await this.#stream(question, principal, response);
      else await this.#single(question, principal, response);
    } finally {
      release();
    }
  }

  #question({ session_id, corpus_id, message, top_k, audio }: RunDto): Question {
    if ([...message].length > this.settings.maxMessageChars) {
      const msg = `must be at most ${this.settings.maxMessageChars} characters`;
      const errors = [{ loc: ['body', 'message'], msg, type: 'maxLength' }];
      throw commonErrors.REQUEST_VALIDATION_ERROR({ details: { errors } });
    }
    const topK = top_k == null ? {} : { topK: top_k };
    return { sessionId: session_id, corpusId: corpus_id, message, audio: audio === true, ...topK };
  }

  async #stream(question: Question, principal: Principal, response: Response): Promise<void> {
    const run = await this.#accept(question, principal);
    const stream = this.#open(question.sessionId, response);
    if (run instanceof AppError) {
      stream.open();
      stream.send('request.accepted', { accepted_at: this.clock.now().toISOString(), top_k_effective: 0 });
      stream.send('error', publicError(run));
    } else {
      response.setHeader('X-Run-Id', run.id);
      stream.open();
      stream.send('request.accepted', { accepted_at: this.clock.now().toISOString(), top_k_effective: run.topK });
      await this.#answer(run, stream);
    }
    stream.send('done', {});
    stream.close();
  }

  /** The run, or the failure to store it, which the stream tells once it is open. */
  async #accept(question: Question, principal: Principal): Promise<Run | AppError> {
    try {
      return await this.runs.accept(question, principal);
    } catch (error) {
      if (!isAppError(error, 'DB_ERROR')) throw error;
      return error;
    }
  }

  async #answer(run: Run, stream: EventStream): Promise<void> {
    try {
      const { text, citations, usage } = await this.runs.answer(run, stream, stream.gone);
      stream.send('message.final', { text, citations, usage });
      if (run.question.audio) stream.send('audio.error', publicError(runErrors.TTS_CONFIG_MISSING()));
    } catch (error) {
      if (!(error instanceof ClientGone)) stream.send('error', publicError(presentable(error)));
    }
  }

  async #single(question: Question, principal: Principal, response: Response): Promise<void> {
    const run = await this.runs.accept(question, principal);
    const gone = new AbortController();
    const leave = (): void => gone.abort(new ClientGone());
    response.once('close', leave);
    if (response.destroyed) leave();
    try {
      const { text, citations, usage } = await this.runs.answer(run, QUIET, gone.signal);
      response.off('close', leave);
      const data = { run_id: run.id, session_id: question.sessionId, text, citations, usage };
      const context = currentContext();
      response.setHeader('X-Run-Id', run.id);
      response.json(
        context.apiVersion === 'legacy' ? data : { data, meta: { request_id: context.requestId, api_version: 'v1' } },
      );
    } catch (error) {
      if (!(error instanceof ClientGone)) throw presentable(error);
    }
  }

  /** Frames are not kept yet, so a client that lost its stream is told to ask again. Nothing is stored. */
  #refuseResume({ sessionId }: Question, lastEventId: string, response: Response): void {
    if (!/^\d{1,9}$/.test(lastEventId.trim())) {
      const errors = [{ loc: ['header', 'Last-Event-ID'], msg: 'must be the id of an event', type: 'pattern' }];
      throw commonErrors.REQUEST_VALIDATION_ERROR({ details: { errors } });
    }
    const stream = this.#open(sessionId, response);
    stream.open();
    stream.send('resume.unsupported', { message: 'This stream cannot be resumed. Ask again without Last-Event-ID.' });
    stream.send('done', {});
    stream.close();
  }

  #open(sessionId: string, response: Response): EventStream {
    return new EventStream(response, this.clock, {
      requestId: currentContext().requestId,
      sessionId,
      flushIntervalMs: this.settings.flushIntervalMs,
      heartbeatMs: this.settings.heartbeatSeconds * 1000,
      stallMs: this.settings.stallSeconds * 1000,
    });
  }
}

function publicError({ code, message }: AppError): { code: string; message: string } {
  return { code, message };
}
