import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import type { Page } from '../../../kernel/cursor.js';
import { MAX_PAGE } from '../../../platform/http/index.js';
import type { AttachmentWithKey } from '../application/attachments.js';
import type { GovernanceOverview } from '../application/governance.js';
import { AttachmentDto, toAttachmentDto } from './attachments.dto.js';
import { IncidentDto, toIncidentDto } from './incidents.dto.js';
import { ResidencyPolicyDto, toResidencyPolicyDto } from './residency-policies.dto.js';
import { toVectorDbDto, VectorDbDto } from './vector-dbs.dto.js';

export class GovernanceQuery {
  /** Attachments and incidents at most, each. Their lists have the rest. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE)
  limit?: number = 50;
}

export class PageDto {
  /** For the list of its own. */
  next_cursor!: string | null;
  has_more!: boolean;
}

export class AttachmentsPageDto {
  items!: AttachmentDto[];
  page!: PageDto;
}

export class IncidentsPageDto {
  items!: IncidentDto[];
  page!: PageDto;
}

export class GovernancePostureDto {
  /** Active attachments on the page with a sound key. */
  healthy!: number;
  /** Those whose key stops a workload that needs one. */
  vetoed!: number;
  /** How often each note occurs among them. */
  notes!: Record<string, number>;
}

export class AttachmentFacetsDto {
  active!: number;
  detached!: number;
}

export class IncidentFacetsDto {
  open!: number;
  resolved!: number;
}

export class GovernanceFacetsDto {
  attachments!: AttachmentFacetsDto;
  incidents!: IncidentFacetsDto;
  /** Of open incidents. */
  severities!: Record<string, number>;
}

export class GovernanceDto {
  vector_db!: VectorDbDto;
  policies!: ResidencyPolicyDto[];
  attachments!: AttachmentsPageDto;
  incidents!: IncidentsPageDto;
  posture!: GovernancePostureDto;
  facets!: GovernanceFacetsDto;
}

export function toGovernanceDto({ db, policies, attachments, incidents, facets }: GovernanceOverview): GovernanceDto {
  return {
    vector_db: toVectorDbDto(db),
    policies: policies.map(toResidencyPolicyDto),
    attachments: { items: attachments.items.map(toAttachmentDto), page: pageOf(attachments) },
    incidents: { items: incidents.items.map(toIncidentDto), page: pageOf(incidents) },
    posture: postureOf(attachments.items.filter(({ detachedAt }) => detachedAt === null)),
    facets: facets ?? { attachments: { active: 0, detached: 0 }, incidents: { open: 0, resolved: 0 }, severities: {} },
  };
}

function pageOf({ nextCursor }: Page<unknown>): PageDto {
  return { next_cursor: nextCursor, has_more: nextCursor !== null };
}

function postureOf(active: readonly AttachmentWithKey[]): GovernancePostureDto {
  const notes: Record<string, number> = {};
  for (const note of active.flatMap(({ posture }) => posture?.notes ?? [])) notes[note] = (notes[note] ?? 0) + 1;
  const vetoed = active.filter(({ posture }) => posture?.vetoed !== false).length;
  return { healthy: active.length - vetoed, vetoed, notes };
}
