import { Injectable } from '@nestjs/common';
import type { JobHandler, JobRun } from '../../../kernel/jobs.js';
import { SourceTexts } from '../application/source-texts.js';
import type { SourceRemovalPayload } from '../ingestion.jobs.js';

@Injectable()
export class SourceRemovalHandler implements JobHandler<SourceRemovalPayload> {
  constructor(private readonly sources: SourceTexts) {}

  async run({ payload, signal }: JobRun<SourceRemovalPayload>): Promise<void> {
    for (const key of payload.keys) {
      signal.throwIfAborted();
      await this.sources.remove(key);
    }
  }

  async failed({ payload }: JobRun<SourceRemovalPayload>): Promise<void> {
    await this.sources.abandonRemoval(payload.keys);
  }
}
