import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { Operation } from '../../../platform/http/index.js';
import { GATE_ERRORS } from '../../vector-dbs/index.js';
import { Receipts } from '../application/receipts.js';
import { Replays } from '../application/replays.js';
import { UNREPLAYABLE } from '../receipts.errors.js';
import {
  DEFAULT_PAGE,
  filterOf,
  ListReceiptsQuery,
  ReceiptDto,
  ReceiptPageDto,
  ReceiptVerificationDto,
  ReplayDto,
  toReceiptDto,
  toReplayDto,
  toVerificationDto,
} from './receipts.dto.js';
import { replayer } from './replayer.js';

/** What a replay can be answered with because it retrieves. */
export const REPLAY_ERRORS = [
  'RECEIPT_NOT_FOUND',
  'residency.provider_mismatch',
  'residency.egress_blocked',
  ...GATE_ERRORS,
  ...UNREPLAYABLE,
  'RETRIEVAL_CONFIG_INVALID',
  'RETRIEVAL_ERROR',
  'EMBEDDING_CONFIG_MISSING',
  'EMBEDDING_ERROR',
  'INTEGRATION_UNAVAILABLE',
  'RERANK_ERROR',
];

@Controller('v1/receipts')
export class ReceiptsController {
  constructor(
    private readonly receipts: Receipts,
    private readonly replays: Replays,
  ) {}

  @Get()
  @Operation({
    id: 'receipts.list',
    summary: 'List the receipts of the tenant, newest first',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    feature: 'feature.audit_access',
    returns: ReceiptPageDto,
  })
  async list(@Query() query: ListReceiptsQuery): Promise<ReceiptPageDto> {
    const { receipts, nextCursor } = await this.receipts.list(
      filterOf(query),
      query.limit ?? DEFAULT_PAGE,
      query.cursor,
    );
    return { receipts: receipts.map(toReceiptDto), next_cursor: nextCursor };
  }

  @Get(':id')
  @Operation({
    id: 'receipts.get',
    summary: 'Get the receipt of an answer: your own, or as an admin any',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    errors: ['RECEIPT_NOT_FOUND', 'FEATURE_NOT_ENABLED'],
    returns: ReceiptDto,
  })
  async get(@Param('id') id: string): Promise<ReceiptDto> {
    return toReceiptDto(await this.receipts.show(await this.receipts.requireReadable(id)));
  }

  @Get(':id/verify')
  @Operation({
    id: 'receipts.verify',
    summary: 'Check the signature of a receipt, of its outcome, and its place in the chain',
    role: 'reader',
    rateClass: 'read',
    cost: 1,
    audit: ['receipt.verified'],
    errors: ['RECEIPT_NOT_FOUND', 'FEATURE_NOT_ENABLED'],
    returns: ReceiptVerificationDto,
  })
  async verify(@Param('id') id: string): Promise<ReceiptVerificationDto> {
    return toVerificationDto(await this.receipts.verify(await this.receipts.requireReadable(id)));
  }

  @Post(':id/replay')
  @Operation({
    id: 'receipts.replay',
    summary: 'Retrieve again what a receipt says was retrieved, and tell what differs',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    feature: 'feature.audit_access',
    audit: ['receipt.replayed'],
    errors: REPLAY_ERRORS,
    returns: ReplayDto,
  })
  async replay(@Param('id') id: string): Promise<ReplayDto> {
    return toReplayDto(await this.replays.replay(await this.receipts.require(id), replayer()));
  }
}
