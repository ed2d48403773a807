import { Injectable } from '@nestjs/common';
import { isAppError } from '../../../kernel/errors.js';
import { Jobs } from '../../../kernel/jobs.js';
import { Clock } from '../../../kernel/time.js';
import { ingestJob } from '../ingestion.jobs.js';

/** Back-pressure needs no exact count, and accepting must not cost a round trip to the queue each time. */
const FRESH_MS = 1000;

@Injectable()
export class QueueDepth {
  #known: { readonly depth: number; readonly at: number } | undefined;
  #asking: Promise<number> | undefined;

  constructor(
    private readonly jobs: Jobs,
    private readonly clock: Clock,
  ) {}

  /**
   * Ingestions waiting or running, at most a second old. Undefined when the queue cannot be reached.
   *
   * @throws when anything else cannot, such as the database: that must not be taken for a queue that is away, which
   * fails the document.
   */
  async read(): Promise<number | undefined> {
    if (this.#known !== undefined && this.clock.monotonic() - this.#known.at < FRESH_MS) return this.#known.depth;
    this.#asking ??= this.jobs.depth(ingestJob).finally(() => (this.#asking = undefined));
    try {
      const depth = await this.#asking;
      this.#known = { depth, at: this.clock.monotonic() };
      return depth;
    } catch (error) {
      if (!isAppError(error, 'QUEUE_UNAVAILABLE')) throw error;
      return undefined;
    }
  }
}
