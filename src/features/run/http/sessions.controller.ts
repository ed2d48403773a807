import { Controller, Delete, Get, Param, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { MAX_PAGE, Operation, PageQuery } from '../../../platform/http/index.js';
import { Sessions } from '../application/sessions.js';
import { MessagesDto, SessionDto, toMessagesDto, toSessionDto } from './sessions.dto.js';

@Controller('v1/sessions')
export class SessionsController {
  constructor(private readonly sessions: Sessions) {}

  @Get()
  @Operation({
    id: 'sessions.list',
    summary: 'List your sessions, newest first',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    errors: ['INVALID_CURSOR'],
    returns: [SessionDto],
  })
  async list(@Query() { limit = MAX_PAGE, cursor }: PageQuery): Promise<Page<SessionDto>> {
    return (await this.sessions.list(limit, cursor)).map(toSessionDto);
  }

  @Get(':id/messages')
  @Operation({
    id: 'sessions.messages',
    summary: 'Read the messages of one of your sessions, in their order',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    errors: ['NOT_FOUND', 'INVALID_CURSOR'],
    returns: MessagesDto,
  })
  async messages(@Param('id') id: string, @Query() { limit = MAX_PAGE, cursor }: PageQuery): Promise<MessagesDto> {
    return toMessagesDto(await this.sessions.messages(id, limit, cursor));
  }

  @Delete(':id')
  @Operation({
    id: 'sessions.delete',
    summary: 'Delete one of your sessions with its messages',
    role: 'reader',
    rateClass: 'mutation',
    cost: 1,
    status: 204,
    response: 'empty',
    audit: ['sessions.deleted'],
    errors: ['NOT_FOUND', 'SESSION_BUSY'],
  })
  async delete(@Param('id') id: string): Promise<void> {
    await this.sessions.delete(id);
  }
}
