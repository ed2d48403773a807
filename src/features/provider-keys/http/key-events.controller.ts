import { Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Page } from '../../../kernel/cursor.js';
import { Clock } from '../../../kernel/time.js';
import { EventConnection, lastSeen, Operation, UuidParam } from '../../../platform/http/index.js';
import { KeyEventFeed } from '../application/key-event-feed.js';
import { KeyLedger } from '../application/key-ledger.js';
import { Providers } from '../application/providers.js';
import type { KeyEvent } from '../domain/ledger.js';
import { FollowQuery, KeyAuditDto, KeyEventsQuery, toKeyAuditDto } from './key-events.dto.js';
import { NAMED, READ } from './operations.js';

const DEFAULT_PAGE = 100;
/** Of ids, which the database numbers for all tenants together. */
const MOST_DIGITS = 15;
/** A client that reads nothing for so long has gone. */
const STALL_MS = 30_000;
/** A comment: clients ignore it, and what lies between sees that the connection is in use. */
const HEARTBEAT = ': heartbeat\n\n';

/** What happened to the keys of a provider. */
@Controller('v1/providers/:provider_id/keys')
export class KeyEventsController {
  constructor(
    private readonly ledger: KeyLedger,
    private readonly feed: KeyEventFeed,
    private readonly providers: Providers,
    private readonly clock: Clock,
  ) {}

  @Get('audit')
  @Operation({
    ...READ,
    id: 'provider-keys.audit',
    summary: 'List what happened to the keys of a provider, newest first',
    errors: [...NAMED, 'INVALID_CURSOR'],
    returns: [KeyAuditDto],
  })
  async audit(
    @Param('provider_id', UuidParam) providerId: string,
    @Query() { key_id, state, start, end, limit = DEFAULT_PAGE, cursor }: KeyEventsQuery,
  ): Promise<Page<KeyAuditDto>> {
    const filter = { keyId: key_id, state, start, end };
    return (await this.ledger.list(providerId, filter, limit, cursor)).map(toKeyAuditDto);
  }

  @Get('stream')
  @Operation({
    ...READ,
    id: 'provider-keys.stream',
    summary: 'Follow what happens to the keys of a provider, from the start or after Last-Event-ID',
    response: 'stream',
    errors: [...NAMED, 'SERVICE_BUSY'],
  })
  async stream(
    @Param('provider_id', UuidParam) providerId: string,
    @Query() { follow }: FollowQuery,
    @Res() response: Response,
    @Headers('last-event-id') lastEventId?: string,
  ): Promise<void> {
    const after = lastEventId === undefined ? 0 : lastSeen(lastEventId, MOST_DIGITS);
    const tenantId = await this.providers.requireTenant(providerId);
    const connection = new EventConnection(response, this.clock, STALL_MS);
    await this.feed.follow(tenantId, providerId, {
      after,
      waiting: follow !== false && response.req.method !== 'HEAD',
      open: () => {
        connection.open();
        return connection;
      },
      frame,
      heartbeat: HEARTBEAT,
    });
    connection.close();
  }
}

function frame(event: KeyEvent): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(toKeyAuditDto(event))}\n\n`;
}
