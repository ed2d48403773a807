import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query } from '@nestjs/common';
import { MAX_PAGE, Operation, PageQuery, Reply } from '../../../platform/http/index.js';
import { Policies } from '../application/policies.js';
import {
  changesOf,
  CreatePolicyDto,
  draftOf,
  ListPoliciesQuery,
  PolicyDto,
  PolicyListDto,
  PolicyVersionListDto,
  toPolicyDto,
  toPolicyVersionDto,
  UpdatePolicyDto,
} from './policies.dto.js';
import { seenVersion, tagged } from './policy-reply.js';

const READ = { role: 'admin', rateClass: 'read', cost: 1 } as const;
const CHANGE = { role: 'admin', rateClass: 'mutation', cost: 1 } as const;

/** The policies of the tenant. */
@Controller('v1/admin/authz/policies')
export class PoliciesController {
  constructor(private readonly policies: Policies) {}

  @Get()
  @Operation({
    ...READ,
    id: 'policies.list',
    summary: 'List the policies, highest priority first',
    errors: ['INVALID_CURSOR'],
    returns: PolicyListDto,
  })
  async list(
    @Query() { limit = MAX_PAGE, cursor, include_global: withTemplates = true }: ListPoliciesQuery,
  ): Promise<Reply<PolicyListDto>> {
    const { items, nextCursor } = await this.policies.list('tenant', { limit, cursor, withTemplates });
    return new Reply({ items: items.map(toPolicyDto) }, { nextCursor });
  }

  @Post()
  @Operation({
    ...CHANGE,
    id: 'policies.create',
    summary: 'Create a policy',
    status: 201,
    body: 'json',
    audit: ['authz.policy.created'],
    errors: ['AUTHZ_POLICY_INVALID', 'AUTHZ_POLICY_TOO_COMPLEX', 'CONFLICT'],
    returns: PolicyDto,
  })
  async create(@Body() body: CreatePolicyDto): Promise<Reply<PolicyDto>> {
    const { name, enabled = true } = body;
    const policy = await this.policies.create('tenant', { ...draftOf(body), name, enabled });
    return tagged(policy, { Location: `/v1/admin/authz/policies/${policy.id}` });
  }

  @Get(':policy_id')
  @Operation({ ...READ, id: 'policies.get', summary: 'Get a policy', errors: ['NOT_FOUND'], returns: PolicyDto })
  async get(@Param('policy_id') id: string): Promise<Reply<PolicyDto>> {
    return tagged(await this.policies.get('tenant', id));
  }

  @Patch(':policy_id')
  @Operation({
    ...CHANGE,
    id: 'policies.update',
    summary: 'Change a policy',
    body: 'json',
    audit: ['authz.policy.updated'],
    errors: ['NOT_FOUND', 'AUTHZ_POLICY_INVALID', 'AUTHZ_POLICY_TOO_COMPLEX', 'CONFLICT', 'PRECONDITION_FAILED'],
    returns: PolicyDto,
  })
  async update(
    @Param('policy_id') id: string,
    @Body() body: UpdatePolicyDto,
    @Headers('if-match') ifMatch?: string,
  ): Promise<Reply<PolicyDto>> {
    return tagged(await this.policies.update('tenant', id, changesOf(body), seenVersion(body, ifMatch)));
  }

  @Delete(':policy_id')
  @Operation({
    ...CHANGE,
    id: 'policies.delete',
    summary: 'Delete a policy; its versions are kept',
    status: 204,
    response: 'empty',
    audit: ['authz.policy.deleted'],
    errors: ['NOT_FOUND'],
  })
  async delete(@Param('policy_id') id: string): Promise<void> {
    await this.policies.delete('tenant', id);
  }

  @Post(':policy_id/enable')
  @Operation({
    ...CHANGE,
    id: 'policies.enable',
    summary: 'Switch a policy on; nothing changes when it is on',
    audit: ['authz.policy.enabled'],
    errors: ['NOT_FOUND'],
    returns: PolicyDto,
  })
  async enable(@Param('policy_id') id: string): Promise<Reply<PolicyDto>> {
    return tagged(await this.policies.setEnabled(id, true));
  }

  @Post(':policy_id/disable')
  @Operation({
    ...CHANGE,
    id: 'policies.disable',
    summary: 'Switch a policy off; nothing changes when it is off',
    audit: ['authz.policy.disabled'],
    errors: ['NOT_FOUND'],
    returns: PolicyDto,
  })
  async disable(@Param('policy_id') id: string): Promise<Reply<PolicyDto>> {
    return tagged(await this.policies.setEnabled(id, false));
  }

  @Get(':policy_id/versions')
  @Operation({
    ...READ,
    id: 'policies.versions',
    summary: 'List what a policy was after each change, newest first, also once it is deleted',
    errors: ['NOT_FOUND', 'INVALID_CURSOR'],
    returns: PolicyVersionListDto,
  })
  async versions(
    @Param('policy_id') id: string,
    @Query() { limit = MAX_PAGE, cursor }: PageQuery,
  ): Promise<Reply<PolicyVersionListDto>> {
    const { items, nextCursor } = await this.policies.versions(id, { limit, cursor });
    return new Reply({ items: items.map(toPolicyVersionDto) }, { nextCursor });
  }
}
