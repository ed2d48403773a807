import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query } from '@nestjs/common';
import { MAX_PAGE, Operation, PageQuery, Reply } from '../../../platform/http/index.js';
import { Policies } from '../application/policies.js';
import {
  changesOf,
  CreatePolicyDto,
  draftOf,
  PolicyDto,
  PolicyListDto,
  toPolicyDto,
  UpdatePolicyDto,
} from './policies.dto.js';
import { seenVersion, tagged } from './policy-reply.js';

const READ = { role: 'admin', authority: 'operator', rateClass: 'read', cost: 1 } as const;
const CHANGE = { role: 'admin', authority: 'operator', rateClass: 'mutation', cost: 1 } as const;

/** Policies that apply to every tenant, for operators. Events of changes are in the trail of the operator's tenant. */
@Controller('v1/admin/authz/templates')
export class PolicyTemplatesController {
  constructor(private readonly policies: Policies) {}

  @Get()
  @Operation({
    ...READ,
    id: 'policy-templates.list',
    summary: 'List the policies that apply to every tenant',
    errors: ['INVALID_CURSOR'],
    returns: PolicyListDto,
  })
  async list(@Query() { limit = MAX_PAGE, cursor }: PageQuery): Promise<Reply<PolicyListDto>> {
    const { items, nextCursor } = await this.policies.list('templates', { limit, cursor, withTemplates: true });
    return new Reply({ items: items.map(toPolicyDto) }, { nextCursor });
  }

  @Post()
  @Operation({
    ...CHANGE,
    id: 'policy-templates.create',
    summary: 'Create a policy that applies to every tenant',
    status: 201,
    body: 'json',
    audit: ['authz.policy.created'],
    errors: ['AUTHZ_POLICY_INVALID', 'AUTHZ_POLICY_TOO_COMPLEX', 'CONFLICT'],
    returns: PolicyDto,
  })
  async create(@Body() body: CreatePolicyDto): Promise<Reply<PolicyDto>> {
    const { name, enabled = true } = body;
    const policy = await this.policies.create('templates', { ...draftOf(body), name, enabled });
    return tagged(policy, { Location: `/v1/admin/authz/templates/${policy.id}` });
  }

  @Get(':template_id')
  @Operation({
    ...READ,
    id: 'policy-templates.get',
    summary: 'Get a policy that applies to every tenant',
    errors: ['NOT_FOUND'],
    returns: PolicyDto,
  })
  async get(@Param('template_id') id: string): Promise<Reply<PolicyDto>> {
    return tagged(await this.policies.get('templates', id));
  }

  @Patch(':template_id')
  @Operation({
    ...CHANGE,
    id: 'policy-templates.update',
    summary: 'Change a policy that applies to every tenant, or switch it on or off',
    body: 'json',
    audit: ['authz.policy.updated'],
    errors: ['NOT_FOUND', 'AUTHZ_POLICY_INVALID', 'AUTHZ_POLICY_TOO_COMPLEX', 'CONFLICT', 'PRECONDITION_FAILED'],
    returns: PolicyDto,
  })
  async update(
    @Param('template_id') id: string,
    @Body() body: UpdatePolicyDto,
    @Headers('if-match') ifMatch?: string,
  ): Promise<Reply<PolicyDto>> {
    return tagged(await this.policies.update('templates', id, changesOf(body), seenVersion(body, ifMatch)));
  }

  @Delete(':template_id')
  @Operation({
    ...CHANGE,
    id: 'policy-templates.delete',
    summary: 'Delete a policy that applies to every tenant',
    status: 204,
    response: 'empty',
    audit: ['authz.policy.deleted'],
    errors: ['NOT_FOUND'],
  })
  async delete(@Param('template_id') id: string): Promise<void> {
    await this.policies.delete('templates', id);
  }
}
