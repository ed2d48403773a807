import { Inject, Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { currentContext } from '../../../kernel/context.js';
import { Clock } from '../../../kernel/time.js';
import { EventConnection } from '../../../platform/http/index.js';
import type { FrameRecorder } from '../application/frame-recorder.js';
import { RunLogs } from '../application/run-logs.js';
import { principalOf } from '../application/run.js';
import { runSettings, type RunSettings } from '../run.settings.js';
import { EventStream } from './event-stream.js';

/** The event streams of requests: new ones, and those that continue another one. */
@Injectable()
export class EventStreams {
  constructor(
    private readonly logs: RunLogs,
    private readonly clock: Clock,
    @Inject(runSettings.token) private readonly settings: RunSettings,
  ) {}

  /** The stream of a new run. Its frames are kept; `close` or `abandon` it. */
  ofRun(runId: string, sessionId: string, response: Response): EventStream {
    const context = currentContext();
    const names = { requestId: context.requestId, sessionId };
    return this.#stream(sessionId, response, runId, this.logs.record(runId, principalOf(context), names));
  }

  /** Says that there is nothing to continue. */
  refuseResume(sessionId: string, response: Response): void {
    const stream = this.#stream(sessionId, response);
    stream.open();
    stream.send('resume.unsupported', { message: 'This stream cannot be resumed. Ask again without Last-Event-ID.' });
    stream.send('done', {});
    stream.close();
  }

  /**
   * Sends the frames of a run after the one with this number, those to come included.
   *
   * @returns false, having sent nothing, when the run is none of the caller's or its frames are gone.
   * @throws SERVICE_BUSY, SHARED_STATE_UNAVAILABLE, having sent nothing.
   */
  async resume(runId: string, after: number, response: Response): Promise<boolean> {
    const place = await this.logs.find(runId, after, principalOf(currentContext()));
    if (place === undefined) return false;
    const release = this.logs.admit(runId);
    try {
      const connection = this.#connection(response);
      connection.open({ 'X-Run-Id': runId });
      await this.logs.follow(place, connection);
      connection.close();
    } finally {
      release();
    }
    return true;
  }

  #stream(sessionId: string, response: Response, runId?: string, recorder?: FrameRecorder): EventStream {
    return new EventStream(this.#connection(response), recorder, this.clock, {
      runId,
      requestId: currentContext().requestId,
      sessionId,
      flushIntervalMs: this.settings.flushIntervalMs,
      heartbeatMs: this.settings.heartbeatSeconds * 1000,
    });
  }

  #connection(response: Response): EventConnection {
    return new EventConnection(response, this.clock, this.settings.stallSeconds * 1000);
  }
}
