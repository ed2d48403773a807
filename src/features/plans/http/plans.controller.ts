import { Body, Controller, Delete, Get, Param, Patch } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { Operation } from '../../../platform/http/index.js';
import { FeatureOverrides } from '../application/feature-overrides.js';
import { Plans } from '../application/plans.js';
import { AssignPlanDto, OverrideFeatureDto, PlanDto, TenantPlanDto, toPlanDto, toTenantPlanDto } from './plans.dto.js';

const OwnTenant = ApiParam({ name: 'tenant', description: "The caller's own." });

/** Handlers act on the caller's tenant: the pipeline refuses a path that names another one. */
@Controller('v1/admin/plans')
export class PlansController {
  constructor(
    private readonly plans: Plans,
    private readonly overrides: FeatureOverrides,
  ) {}

  @Get()
  @Operation({
    id: 'plans.list',
    summary: 'List the plans with what they include',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    unmetered: true,
    returns: [PlanDto],
  })
  async list(): Promise<PlanDto[]> {
    return (await this.plans.catalogue()).map(toPlanDto);
  }

  @Get(':tenant')
  @OwnTenant
  @Operation({
    id: 'plans.get',
    summary: 'Get the plan of the tenant and its features',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    unmetered: true,
    errors: ['NOT_FOUND'],
    returns: TenantPlanDto,
  })
  async get(): Promise<TenantPlanDto> {
    return toTenantPlanDto(await this.plans.current());
  }

  @Patch(':tenant')
  @OwnTenant
  @Operation({
    id: 'plans.assign',
    summary: 'Put the tenant on a plan',
    role: 'admin',
    authority: 'plan_assignment',
    rateClass: 'mutation',
    cost: 1,
    unmetered: true,
    body: 'json',
    audit: ['plan.assigned'],
    errors: ['NOT_FOUND'],
    returns: TenantPlanDto,
  })
  async assign(@Body() { plan_id }: AssignPlanDto): Promise<TenantPlanDto> {
    return toTenantPlanDto(await this.plans.assign(plan_id));
  }

  @Patch(':tenant/overrides')
  @OwnTenant
  @Operation({
    id: 'plans.override',
    summary: 'Switch a feature of the tenant on or off, whatever its plan says',
    role: 'admin',
    authority: 'plan_assignment',
    rateClass: 'mutation',
    cost: 1,
    unmetered: true,
    body: 'json',
    audit: ['plan.override.updated'],
    errors: ['NOT_FOUND', 'VALIDATION_ERROR'],
    returns: TenantPlanDto,
  })
  async override(@Body() { feature_key, enabled, config_json }: OverrideFeatureDto): Promise<TenantPlanDto> {
    await this.overrides.set(feature_key, {
      ...(enabled === undefined ? {} : { enabled }),
      ...(config_json === undefined ? {} : { config: config_json }),
    });
    return toTenantPlanDto(await this.plans.current());
  }

  @Delete(':tenant/overrides/:feature_key')
  @OwnTenant
  @Operation({
    id: 'plans.clearOverride',
    summary: 'Leave a feature of the tenant to its plan again',
    role: 'admin',
    authority: 'plan_assignment',
    rateClass: 'mutation',
    cost: 1,
    unmetered: true,
    status: 204,
    response: 'empty',
    audit: ['plan.override.updated'],
    errors: ['NOT_FOUND', 'VALIDATION_ERROR'],
  })
  async clear(@Param('feature_key') feature: string): Promise<void> {
    await this.overrides.clear(feature);
  }
}
