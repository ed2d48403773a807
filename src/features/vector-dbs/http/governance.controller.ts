import { Controller, Get, Param, Query } from '@nestjs/common';
import { Operation } from '../../../platform/http/index.js';
import { Governance } from '../application/governance.js';
import { GovernanceDto, GovernanceQuery, toGovernanceDto } from './governance.dto.js';
import { vectorDbIdIn } from './path-ids.js';
import { OF_ONE, READ } from './route-kinds.js';

@Controller('v1/ui/vector-dbs/:id/governance')
export class GovernanceController {
  constructor(private readonly governance: Governance) {}

  @Get()
  @Operation({
    ...READ,
    id: 'vector-dbs.governance',
    summary: 'Get all that a console shows of a vector database at once',
    errors: OF_ONE,
    returns: GovernanceDto,
  })
  async get(@Param('id') id: string, @Query() { limit = 50 }: GovernanceQuery): Promise<GovernanceDto> {
    return toGovernanceDto(await this.governance.of(vectorDbIdIn(id), limit));
  }
}
