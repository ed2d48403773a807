import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { Operation, UuidParam } from '../../../platform/http/index.js';
import { Incidents } from '../application/incidents.js';
import {
  IncidentDto,
  INCIDENTS_PAGE,
  ListIncidentsQuery,
  LogIncidentDto,
  ResolveIncidentDto,
  toIncidentDto,
} from './incidents.dto.js';
import { vectorDbIdIn } from './path-ids.js';
import { OF_ONE, READ, WRITE } from './route-kinds.js';

@Controller('v1/vector-dbs/:id/incidents')
export class IncidentsController {
  constructor(private readonly incidents: Incidents) {}

  @Get()
  @Operation({
    ...READ,
    id: 'vector-db-incidents.list',
    summary: 'List the incidents of a vector database, newest first, with their history',
    errors: [...OF_ONE, 'INVALID_CURSOR'],
    returns: [IncidentDto],
  })
  async list(
    @Param('id') id: string,
    @Query() { status, limit = INCIDENTS_PAGE, cursor }: ListIncidentsQuery,
  ): Promise<Page<IncidentDto>> {
    return (await this.incidents.list(vectorDbIdIn(id), { state: status, limit, cursor })).map(toIncidentDto);
  }

  @Post()
  @Operation({
    ...WRITE,
    id: 'vector-db-incidents.log',
    summary: 'Log an incident of a vector database',
    audit: ['vector_db.incident.logged'],
    errors: [...OF_ONE, 'ATTACHMENT_NOT_FOUND'],
    returns: IncidentDto,
  })
  async log(@Param('id') id: string, @Body() body: LogIncidentDto): Promise<IncidentDto> {
    const report = {
      incidentType: body.incident_type,
      severity: body.severity ?? 'medium',
      attachmentId: body.attachment_id ?? null,
      summary: body.summary ?? null,
      notes: body.notes ?? {},
    };
    return toIncidentDto(await this.incidents.log(vectorDbIdIn(id), report));
  }

  @Patch(':incident_id')
  @Operation({
    ...WRITE,
    id: 'vector-db-incidents.resolve',
    summary: 'Resolve an incident of a vector database',
    audit: ['vector_db.incident.resolved'],
    errors: [...OF_ONE, 'INCIDENT_NOT_FOUND', 'INCIDENT_ALREADY_RESOLVED'],
    returns: IncidentDto,
  })
  async resolve(
    @Param('id') id: string,
    @Param('incident_id', UuidParam) incidentId: string,
    @Body() { resolution_summary, resolution_notes }: ResolveIncidentDto,
  ): Promise<IncidentDto> {
    const given = {
      ...(resolution_summary == null ? {} : { summary: resolution_summary }),
      ...(resolution_notes == null ? {} : { notes: resolution_notes }),
    };
    return toIncidentDto(await this.incidents.resolve(vectorDbIdIn(id), incidentId, given));
  }
}
