import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { Page } from '../../../kernel/cursor.js';
import { MAX_PAGE, Operation, PageQuery } from '../../../platform/http/index.js';
import { ResidencyPolicies } from '../application/residency-policies.js';
import { vectorDbIdIn } from './path-ids.js';
import { ResidencyPolicyDto, toResidencyPolicyDto, UpsertResidencyPolicyDto } from './residency-policies.dto.js';
import { OF_ONE, READ, WRITE } from './route-kinds.js';

@Controller('v1/vector-dbs/:id/residency-policies')
export class ResidencyPoliciesController {
  constructor(private readonly policies: ResidencyPolicies) {}

  @Get()
  @Operation({
    ...READ,
    id: 'vector-db-policies.list',
    summary: 'List the residency policies of a vector database, by region',
    errors: [...OF_ONE, 'INVALID_CURSOR'],
    returns: [ResidencyPolicyDto],
  })
  async list(
    @Param('id') id: string,
    @Query() { limit = MAX_PAGE, cursor }: PageQuery,
  ): Promise<Page<ResidencyPolicyDto>> {
    return (await this.policies.list(vectorDbIdIn(id), limit, cursor)).map(toResidencyPolicyDto);
  }

  @Post()
  @Operation({
    ...WRITE,
    id: 'vector-db-policies.upsert',
    summary: 'Set the residency policy of a vector database for a region',
    audit: ['vector_db.residency_policy.upserted'],
    errors: OF_ONE,
    returns: ResidencyPolicyDto,
  })
  async upsert(@Param('id') id: string, @Body() body: UpsertResidencyPolicyDto): Promise<ResidencyPolicyDto> {
    const changes = {
      region: body.region,
      dataClassification: body.data_classification ?? undefined,
      enforcementMode: body.enforcement_mode ?? undefined,
      active: body.active ?? undefined,
    };
    return toResidencyPolicyDto(await this.policies.upsert(vectorDbIdIn(id), changes));
  }
}
