import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsNotEmpty, IsObject, IsOptional, IsString, MaxLength, ValidateNested } from 'class-validator';
import type { Explanation } from '../application/explanations.js';
import type { Situation } from '../application/simulations.js';
import type { JsonObject } from '../domain/attributes.js';
import type { Decision, Reason } from '../domain/decision.js';
import { PRINCIPAL_TYPES, type PrincipalType } from '../domain/grants.js';
import { DOCUMENT_ACTIONS, type DocumentAction } from '../domain/scope.js';
import { PermissionDto, toPermissionDto } from './permissions.dto.js';
import { DraftPolicyDto } from './policies.dto.js';

const Attributes = (): PropertyDecorator => ApiPropertyOptional({ type: 'object', additionalProperties: true });

export class SimulateDto {
  /** `document` or `corpus`. */
  @IsString()
  @MaxLength(64)
  resource_type!: string;

  /** `read`, `write`, `delete`, `reindex` of a document, `run` of a corpus. */
  @IsString()
  @MaxLength(64)
  action!: string;

  /** Who asks, such as `{"role": "reader"}`; of your own tenant. */
  @IsOptional()
  @IsObject()
  @Attributes()
  principal?: Record<string, unknown>;

  /** For what, such as `{"labels": {"sensitivity": "high"}}`; of your own tenant. */
  @IsOptional()
  @IsObject()
  @Attributes()
  resource?: Record<string, unknown>;

  /** How it is asked; `time` is now unless it is given. */
  @IsOptional()
  @IsObject()
  @Attributes()
  request?: Record<string, unknown>;

  /** `principal`, `resource` and `request` under those above, which win. */
  @IsOptional()
  @IsObject()
  @Attributes()
  context?: Record<string, unknown>;
}

export class SimulateDraftDto extends SimulateDto {
  /** A policy that is not stored. In the answer its id is `draft`. */
  @IsObject()
  @ValidateNested()
  @Type(() => DraftPolicyDto)
  policy!: DraftPolicyDto;
}

export class TraceEntryDto {
  policy_id!: string;
  effect!: 'allow' | 'deny';
  matched!: boolean;
  /** Why the condition could not be evaluated, which denies. */
  error?: string;
}

export class DecisionDto {
  allowed!: boolean;
  reason!: Reason;
  matched_policy_id!: string | null;
  /** Policies in scope, in the order in which they were asked, until one decided. */
  trace!: TraceEntryDto[];
}

export class SimulationDto extends DecisionDto {
  matched_policies!: string[];
}

export class ExplainDto {
  @IsIn(PRINCIPAL_TYPES)
  principal_type!: PrincipalType;

  /** Id of a user, API key or group, a role, or the display name of a group. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  principal_id!: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  document_id!: string;

  @IsIn(DOCUMENT_ACTIONS)
  action!: DocumentAction;
}

export class ExplainedPermissionDto extends PermissionDto {
  /** Whether it gives the action now. */
  counts!: boolean;
}

export class ExplanationDto extends DecisionDto {
  /** Permissions for the document that name the principal; at most 200. */
  permissions!: ExplainedPermissionDto[];
}

export function situationOf(dto: SimulateDto): Situation {
  return {
    resourceType: dto.resource_type,
    action: dto.action,
    principal: (dto.principal ?? {}) as JsonObject,
    resource: (dto.resource ?? {}) as JsonObject,
    request: (dto.request ?? {}) as JsonObject,
    context: (dto.context ?? {}) as JsonObject,
  };
}

export function toSimulationDto(decision: Decision): SimulationDto {
  const matched = decision.trace.filter((entry) => entry.matched).map(({ policyId }) => policyId);
  return { ...toDecisionDto(decision), matched_policies: matched };
}

export function toExplanationDto(explanation: Explanation): ExplanationDto {
  const permissions = explanation.grants.map((grant) => ({ ...toPermissionDto(grant), counts: grant.counts }));
  return { ...toDecisionDto(explanation), permissions };
}

function toDecisionDto({ allowed, reason, matchedPolicyId, trace }: Decision): DecisionDto {
  return {
    allowed,
    reason,
    matched_policy_id: matchedPolicyId,
    trace: trace.map(({ policyId, effect, matched, error }) => ({
      policy_id: policyId,
      effect,
      matched,
      ...(error === undefined ? {} : { error }),
    })),
  };
}
