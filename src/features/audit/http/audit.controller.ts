import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { invalidRequest, Operation } from '../../../platform/http/index.js';
import { AuditLog } from '../application/audit-log.js';
import { AuditVerification } from '../application/audit-verification.js';
import {
  AuditEventDto,
  AuditEventFilter,
  AuditEventPageDto,
  AuditVerificationDto,
  filterOf,
  ListAuditEventsQuery,
  toAuditEventDto,
  toAuditEventPageDto,
  toAuditVerificationDto,
  VerifyAuditQuery,
} from './audit.dto.js';
import { sendLines } from './send-lines.js';

const READ = { role: 'admin', rateClass: 'ops', cost: 1, feature: 'feature.audit_access' } as const;

@Controller('v1/audit')
export class AuditController {
  constructor(
    private readonly trail: AuditLog,
    private readonly verification: AuditVerification,
  ) {}

  @Get('events')
  @Operation({
    ...READ,
    id: 'audit.list',
    summary: 'List the audit events of the tenant, newest first',
    audit: ['audit.viewed'],
    errors: ['INVALID_CURSOR'],
    returns: AuditEventPageDto,
  })
  async list(@Query() query: ListAuditEventsQuery, @Req() request: Request): Promise<AuditEventPageDto> {
    const { limit = 0, cursor } = query;
    const offset = cursor === undefined ? query.offset : 0;
    const page = await this.trail.list({ filter: filterOf(query), limit, cursor, offset });
    this.trail.noteView(request.path, request.method);
    return toAuditEventPageDto(page, query);
  }

  @Get('events/:id')
  @Operation({
    ...READ,
    id: 'audit.get',
    summary: 'Get an audit event',
    audit: ['audit.viewed'],
    errors: ['NOT_FOUND'],
    returns: AuditEventDto,
  })
  async get(@Param('id') id: string, @Req() request: Request): Promise<AuditEventDto> {
    if (!/^\d{1,15}$/.test(id)) {
      throw invalidRequest([{ loc: ['path', 'id'], msg: 'must be a whole number', type: 'isInt' }]);
    }
    const event = await this.trail.get(Number(id));
    this.trail.noteView(request.path, request.method);
    return toAuditEventDto(event);
  }

  @Get('export')
  @Operation({
    ...READ,
    id: 'audit.export',
    summary: 'Stream the audit events of the tenant, oldest first, one JSON object a line',
    response: 'lines',
    audit: ['audit.exported'],
    returns: AuditEventDto,
  })
  async export(@Query() query: AuditEventFilter, @Res() response: Response): Promise<void> {
    const batches = await this.trail.export(filterOf(query));
    await sendLines(response, batches, toAuditEventDto);
  }

  @Get('verify')
  @Operation({
    ...READ,
    id: 'audit.verify',
    summary: 'Compare the audit events of the tenant with their seals',
    audit: ['audit.viewed'],
    errors: ['INVALID_CURSOR'],
    returns: AuditVerificationDto,
  })
  async verify(@Query() query: VerifyAuditQuery, @Req() request: Request): Promise<AuditVerificationDto> {
    const { from, to, cursor } = query;
    const verification = await this.verification.ofTenant({ from, to, cursor });
    this.trail.noteView(request.path, request.method);
    return toAuditVerificationDto(verification);
  }
}
