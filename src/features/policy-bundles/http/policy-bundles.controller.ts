import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { MAX_PAGE, Operation, Reply } from '../../../platform/http/index.js';
import { PolicyBundles } from '../application/policy-bundles.js';
import {
  ActivateBundleDto,
  ActivatedBundleDto,
  BundleQuery,
  ListBundlesQuery,
  PolicyBundleDto,
  PolicyBundleListDto,
  ReloadedDto,
  toBundleDto,
  toSummaryDto,
  toUploadedDto,
  UploadBundleDto,
  UploadedBundleDto,
} from './policy-bundles.dto.js';

const READ = { role: 'admin', rateClass: 'read', cost: 1 } as const;
const OF_TENANT = { ...READ, operatorReach: 'served' } as const;
const CHANGE = { role: 'admin', rateClass: 'mutation', cost: 1 } as const;

@Controller('v1/admin/policy')
export class PolicyBundlesController {
  constructor(private readonly bundles: PolicyBundles) {}

  @Post('bundles')
  @Operation({
    ...CHANGE,
    id: 'policy-bundles.upload',
    summary: 'Store a policy bundle; one that is stored already stays as it is',
    onTenant: true,
    body: 'json',
    audit: ['policy_bundle.uploaded', 'policy_bundle.activated'],
    errors: ['NOT_FOUND', 'PLATFORM_OPERATOR_REQUIRED', 'POLICY_BUNDLE_INVALID'],
    returns: UploadedBundleDto,
  })
  async upload(@Body() body: UploadBundleDto): Promise<UploadedBundleDto> {
    const { tenant_id = null, yaml_content, activate = false } = body;
    return toUploadedDto(await this.bundles.upload(tenant_id, yaml_content, activate));
  }

  @Get('bundles')
  @Operation({
    ...OF_TENANT,
    id: 'policy-bundles.list',
    summary: 'List policy bundles, newest first',
    errors: ['INVALID_CURSOR'],
    returns: PolicyBundleListDto,
  })
  async list(@Query() query: ListBundlesQuery): Promise<Reply<PolicyBundleListDto>> {
    const { tenant_id, limit = MAX_PAGE, cursor } = query;
    const { items, nextCursor } = await this.bundles.list(tenant_id, { limit, cursor });
    return new Reply({ items: items.map(toSummaryDto) }, { nextCursor });
  }

  @Get('bundles/:bundle_hash')
  @Operation({
    ...OF_TENANT,
    id: 'policy-bundles.get',
    summary: 'Get a policy bundle with its rules',
    errors: ['NOT_FOUND', 'POLICY_UNAVAILABLE'],
    returns: PolicyBundleDto,
  })
  async get(@Param('bundle_hash') hash: string, @Query() { tenant_id }: BundleQuery): Promise<PolicyBundleDto> {
    return toBundleDto(await this.bundles.get(tenant_id, hash));
  }

  @Post('activate')
  @Operation({
    ...CHANGE,
    id: 'policy-bundles.activate',
    summary: 'Put a policy bundle in force, in place of the one that is',
    onTenant: true,
    body: 'json',
    audit: ['policy_bundle.activated'],
    errors: ['NOT_FOUND', 'PLATFORM_OPERATOR_REQUIRED'],
    returns: ActivatedBundleDto,
  })
  async activate(@Body() { tenant_id = null, bundle_hash }: ActivateBundleDto): Promise<ActivatedBundleDto> {
    const { hash, active } = await this.bundles.activate(tenant_id, bundle_hash);
    return { bundle_hash: hash, active };
  }

  @Get('active')
  @Operation({
    ...OF_TENANT,
    id: 'policy-bundles.active',
    summary: 'Get the policy bundle that is in force for the tenant: its own, or that of all tenants, or null',
    errors: ['POLICY_UNAVAILABLE'],
    returns: PolicyBundleDto,
  })
  async active(@Query() { tenant_id }: BundleQuery): Promise<PolicyBundleDto | null> {
    const found = await this.bundles.active(tenant_id);
    return found === undefined ? null : toBundleDto(found);
  }

  @Post('reload')
  @Operation({
    ...READ,
    id: 'policy-bundles.reload',
    summary: 'Have every process read again which policy bundle is in force',
    changesNothing: true,
    returns: ReloadedDto,
  })
  async reload(): Promise<ReloadedDto> {
    await this.bundles.reload();
    return { reloaded: true };
  }
}
