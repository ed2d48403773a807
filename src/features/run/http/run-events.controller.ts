import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import type { Response } from 'express';
import { commonErrors } from '../../../kernel/common-errors.js';
import { lastSeen, Operation } from '../../../platform/http/index.js';
import { EventStreams } from './event-streams.js';

@Controller('v1/runs')
export class RunEventsController {
  constructor(private readonly streams: EventStreams) {}

  @Get(':id/events')
  @Operation({
    id: 'run.events',
    summary: 'Read the event stream of a run again, from its start or after Last-Event-ID',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    response: 'stream',
    errors: ['NOT_FOUND', 'SERVICE_BUSY', 'SHARED_STATE_UNAVAILABLE'],
  })
  async events(
    @Param('id') id: string,
    @Res() response: Response,
    @Headers('last-event-id') lastEventId?: string,
  ): Promise<void> {
    const after = lastEventId === undefined ? 0 : lastSeen(lastEventId);
    if (!(await this.streams.resume(id, after, response))) throw commonErrors.NOT_FOUND({ message: 'No such run.' });
  }
}
