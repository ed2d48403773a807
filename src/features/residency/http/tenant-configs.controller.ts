import { Body, Controller, Get, Param, Patch } from '@nestjs/common';
import { Operation } from '../../../platform/http/index.js';
import { ConfigureTenant } from '../application/configure-tenant.js';
import { PatchTenantConfigDto, TenantConfigDto, toChanges, toTenantConfigDto } from './tenant-configs.dto.js';

/** Of the caller's tenant; operators name any, also one that is pinned elsewhere, or a wrong pin could not be mended. */
@Controller('v1/admin/tenants')
export class TenantConfigsController {
  constructor(private readonly tenants: ConfigureTenant) {}

  @Get(':tenant/config')
  @Operation({
    id: 'tenant-config.get',
    summary: 'Get the configuration of a tenant',
    role: 'admin',
    operatorReach: 'any',
    rateClass: 'read',
    cost: 1,
    unmetered: true,
    errors: ['NOT_FOUND'],
    returns: TenantConfigDto,
  })
  async get(@Param('tenant') tenantId: string): Promise<TenantConfigDto> {
    return toTenantConfigDto(await this.tenants.get(tenantId));
  }

  @Patch(':tenant/config')
  @Operation({
    id: 'tenant-config.update',
    summary: 'Change the configuration of a tenant',
    role: 'admin',
    operatorReach: 'any',
    rateClass: 'mutation',
    cost: 1,
    unmetered: true,
    body: 'json',
    audit: ['tenant.config.updated', 'residency.pin.changed'],
    errors: ['NOT_FOUND', 'PLATFORM_OPERATOR_REQUIRED', 'residency.invalid_pin', 'TENANT_CONFIG_VERSION_CONFLICT'],
    returns: TenantConfigDto,
  })
  async patch(@Param('tenant') tenantId: string, @Body() body: PatchTenantConfigDto): Promise<TenantConfigDto> {
    const { warnings, ...tenant } = await this.tenants.patch(tenantId, {
      changes: toChanges(body),
      force: body.force_region_pin === true,
      expectedVersion: body.expected_version ?? undefined,
      reason: body.reason ?? undefined,
    });
    return toTenantConfigDto(tenant, warnings);
  }
}
