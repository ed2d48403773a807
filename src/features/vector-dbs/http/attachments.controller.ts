import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { MAX_PAGE, Operation, UuidParam } from '../../../platform/http/index.js';
import { AttachWorkload } from '../application/attach-workload.js';
import { Attachments } from '../application/attachments.js';
import {
  AttachmentDto,
  CreateAttachmentDto,
  DetachAttachmentDto,
  ListAttachmentsQuery,
  toAttachmentDto,
} from './attachments.dto.js';
import { vectorDbIdIn } from './path-ids.js';
import { OF_ONE, READ, WRITE } from './route-kinds.js';

@Controller('v1/vector-dbs/:id/attachments')
export class AttachmentsController {
  constructor(
    private readonly attachments: Attachments,
    private readonly workloads: AttachWorkload,
  ) {}

  @Get()
  @Operation({
    ...READ,
    id: 'vector-db-attachments.list',
    summary: 'List what is or was attached to a vector database, newest first, with the keys as they are now',
    errors: [...OF_ONE, 'INVALID_CURSOR'],
    returns: [AttachmentDto],
  })
  async list(
    @Param('id') id: string,
    @Query() { status, limit = MAX_PAGE, cursor }: ListAttachmentsQuery,
  ): Promise<Page<AttachmentDto>> {
    return (await this.attachments.list(vectorDbIdIn(id), { state: status, limit, cursor })).map(toAttachmentDto);
  }

  @Post()
  @Operation({
    ...WRITE,
    id: 'vector-db-attachments.create',
    summary: 'Attach a workload to a vector database, under a residency policy and with a customer-held key',
    audit: ['vector_db.attachment.created'],
    errors: [
      ...OF_ONE,
      'RESIDENCY_POLICY_NOT_FOUND',
      'RESIDENCY_POLICY_INACTIVE',
      'PROVIDER_KEY_BINDING_NOT_FOUND',
      'PROVIDER_KEY_BINDING_SCOPE_MISMATCH',
      'PROVIDER_KEY_NOT_USABLE',
      'residency.vector_db_mismatch',
      'ATTACHMENT_ALREADY_EXISTS',
    ],
    returns: AttachmentDto,
  })
  async create(@Param('id') id: string, @Body() body: CreateAttachmentDto): Promise<AttachmentDto> {
    const request = {
      type: body.attachment_type,
      ref: body.attachment_ref,
      policyId: body.residency_policy_id,
      bindingId: body.provider_key_binding_id,
      metadata: body.metadata ?? {},
    };
    return toAttachmentDto(await this.workloads.attach(vectorDbIdIn(id), request));
  }

  @Patch(':attachment_id')
  @Operation({
    ...WRITE,
    id: 'vector-db-attachments.detach',
    summary: 'Detach a workload from a vector database, for good',
    audit: ['vector_db.attachment.detached'],
    errors: [...OF_ONE, 'ATTACHMENT_NOT_FOUND', 'ATTACHMENT_ALREADY_DETACHED'],
    returns: AttachmentDto,
  })
  async detach(
    @Param('id') id: string,
    @Param('attachment_id', UuidParam) attachmentId: string,
    @Body() { reason }: DetachAttachmentDto,
  ): Promise<AttachmentDto> {
    return toAttachmentDto(await this.attachments.detach(vectorDbIdIn(id), attachmentId, reason));
  }
}
