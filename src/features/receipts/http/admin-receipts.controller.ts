import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { inTenant } from '../../../kernel/context.js';
import { Operation } from '../../../platform/http/index.js';
import { Receipts } from '../application/receipts.js';
import { ReceiptsOfTenants } from '../application/receipts-of-tenants.js';
import { Replays } from '../application/replays.js';
import { REPLAY_ERRORS } from './receipts.controller.js';
import {
  DEFAULT_PAGE,
  filterOf,
  ListReceiptsOfTenantQuery,
  ReceiptDto,
  ReceiptPageDto,
  ReceiptVerificationDto,
  ReplayDto,
  toReceiptDto,
  toReplayDto,
  toVerificationDto,
} from './receipts.dto.js';
import { replayer } from './replayer.js';

const READ = { role: 'admin', authority: 'operator', rateClass: 'read', cost: 1 } as const;

/** Receipts of any tenant, for operators. */
@Controller('v1/admin/receipts')
export class AdminReceiptsController {
  constructor(
    private readonly receipts: Receipts,
    private readonly replays: Replays,
    private readonly tenants: ReceiptsOfTenants,
  ) {}

  @Get()
  @Operation({
    ...READ,
    id: 'admin-receipts.list',
    summary: 'List the receipts of a tenant, or of a session in any, newest first',
    operatorReach: 'served',
    errors: ['RECEIPT_TARGET_REQUIRED'],
    returns: ReceiptPageDto,
  })
  async list(@Query() query: ListReceiptsOfTenantQuery): Promise<ReceiptPageDto> {
    const { tenant_id, limit = DEFAULT_PAGE, cursor } = query;
    const filter = filterOf(query);
    const { receipts, nextCursor } = await (tenant_id === undefined
      ? this.receipts.listAcross(await this.tenants.withSession(filter.sessionId), filter, limit, cursor)
      : inTenant(tenant_id, () => this.receipts.list(filter, limit, cursor)));
    return { receipts: receipts.map(toReceiptDto), next_cursor: nextCursor };
  }

  @Get(':id')
  @Operation({
    ...READ,
    id: 'admin-receipts.get',
    summary: 'Get the receipt of an answer of any tenant',
    errors: ['RECEIPT_NOT_FOUND'],
    returns: ReceiptDto,
  })
  async get(@Param('id') id: string): Promise<ReceiptDto> {
    return this.tenants.whereItIs(id, async () =>
      toReceiptDto(await this.receipts.show(await this.receipts.require(id))),
    );
  }

  @Get(':id/verify')
  @Operation({
    ...READ,
    id: 'admin-receipts.verify',
    summary: 'Check a receipt of any tenant',
    audit: ['receipt.verified'],
    errors: ['RECEIPT_NOT_FOUND'],
    returns: ReceiptVerificationDto,
  })
  async verify(@Param('id') id: string): Promise<ReceiptVerificationDto> {
    return this.tenants.whereItIs(id, async () =>
      toVerificationDto(await this.receipts.verify(await this.receipts.require(id))),
    );
  }

  @Post(':id/replay')
  @Operation({
    id: 'admin-receipts.replay',
    summary: 'Replay a receipt of any tenant',
    role: 'admin',
    authority: 'operator',
    rateClass: 'mutation',
    cost: 1,
    audit: ['receipt.replayed'],
    errors: [...REPLAY_ERRORS, 'FEATURE_NOT_ENABLED'],
    returns: ReplayDto,
  })
  async replay(@Param('id') id: string): Promise<ReplayDto> {
    return this.tenants.whereItIs(id, async () =>
      toReplayDto(await this.replays.replay(await this.receipts.require(id), replayer())),
    );
  }
}
