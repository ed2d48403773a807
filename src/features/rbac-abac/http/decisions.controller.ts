import { Body, Controller, Param, Post } from '@nestjs/common';
import { Operation } from '../../../platform/http/index.js';
import { Explanations } from '../application/explanations.js';
import { Simulations } from '../application/simulations.js';
import {
  ExplainDto,
  ExplanationDto,
  SimulateDraftDto,
  SimulateDto,
  SimulationDto,
  situationOf,
  toExplanationDto,
  toSimulationDto,
} from './decisions.dto.js';
import { draftOf } from './policies.dto.js';

const QUESTION = { role: 'admin', rateClass: 'read', cost: 1, changesNothing: true, body: 'json' } as const;

/** What would be decided, and why. */
@Controller('v1/admin/authz')
export class DecisionsController {
  constructor(
    private readonly simulations: Simulations,
    private readonly explanations: Explanations,
  ) {}

  @Post('policies/:policy_id/simulate')
  @Operation({
    ...QUESTION,
    id: 'policies.simulate',
    summary: 'Try a policy as if it were on; permissions are not asked',
    audit: ['authz.simulation.run'],
    errors: ['NOT_FOUND', 'AUTHZ_SIMULATION_INVALID', 'AUTHZ_DENIED'],
    returns: SimulationDto,
  })
  async simulate(@Param('policy_id') id: string, @Body() body: SimulateDto): Promise<SimulationDto> {
    return toSimulationDto(await this.simulations.ofPolicy(id, situationOf(body)));
  }

  @Post('simulate')
  @Operation({
    ...QUESTION,
    id: 'policies.simulateDraft',
    summary: 'Try a policy that is not stored',
    audit: ['authz.simulation.run'],
    errors: ['AUTHZ_SIMULATION_INVALID', 'AUTHZ_DENIED', 'AUTHZ_POLICY_INVALID', 'AUTHZ_POLICY_TOO_COMPLEX'],
    returns: SimulationDto,
  })
  async simulateDraft(@Body() body: SimulateDraftDto): Promise<SimulationDto> {
    return toSimulationDto(await this.simulations.ofDraft(draftOf(body.policy), situationOf(body)));
  }

  @Post('explain')
  @Operation({
    ...QUESTION,
    id: 'access.explain',
    summary: 'Say what somebody may do with a document, and why',
    audit: ['authz.access.explained'],
    errors: ['NOT_FOUND'],
    returns: ExplanationDto,
  })
  async explain(@Body() { principal_type, principal_id, document_id, action }: ExplainDto): Promise<ExplanationDto> {
    return toExplanationDto(await this.explanations.explain(principal_type, principal_id, document_id, action));
  }
}
