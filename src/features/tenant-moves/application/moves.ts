import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { currentContext, inTenant } from '../../../kernel/context.js';
import { isAppError } from '../../../kernel/errors.js';
import { Jobs } from '../../../kernel/jobs.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { MovingRowsRepository } from '../persistence/moving-rows.repository.js';
import type { Move, MoveKind, NewMove, Part } from '../domain/move.js';
import { ResidencyJobsRepository } from '../persistence/residency-jobs.repository.js';
import { moveJob } from '../tenant-moves.jobs.js';

/** Kinds of moves that are carried out by a job. */
export type Work = Exclude<MoveKind, 'migration'>;

/** How a job ended well. */
export interface Outcome extends Partial<Pick<Move, 'counts' | 'manifest' | 'watermark'>> {
  /** Rows by table, for the audit trail. */
  readonly audited: Readonly<Record<string, number>>;
}

/** The jobs that operators of the context's tenant start for other tenants. */
@Injectable()
export class Moves {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly stored: ResidencyJobsRepository,
    private readonly rows: MovingRowsRepository,
    private readonly jobs: Jobs,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** @throws residency.export_in_progress, residency.move_in_progress */
  async start(move: Omit<NewMove, 'actor' | 'state'> & { kind: Work }, parts: readonly Part[] = []): Promise<Move> {
    return this.uow.run(async () => {
      await this.stored.insert({ ...move, state: 'running', actor: actor() }, this.clock.now());
      await this.stored.addParts(move.id, parts);
      await this.#enqueue(move.id, move.kind);
      const started = await this.require(move.id, move.kind);
      await this.record(`residency.${move.kind}`, started);
      return started;
    });
  }

  /** Something that others than a job carry out. @throws residency.move_in_progress */
  async plan(move: Omit<NewMove, 'actor'>): Promise<Move> {
    return this.uow.run(async () => {
      await this.stored.insert({ ...move, actor: actor() }, this.clock.now());
      const planned = await this.require(move.id, move.kind);
      await this.record(`residency.${move.kind}.${move.state}`, planned);
      return planned;
    });
  }

  /** Lets what was prepared begin. In a transaction. */
  async begin(move: Move, kind: Work, approver: string): Promise<Move> {
    await this.stored.update(move.id, this.clock.now(), { state: 'running', counts: {}, approver });
    await this.#enqueue(move.id, kind);
    return this.require(move.id, kind);
  }

  /** Keeps how far a move is, and what later steps need. */
  async note(id: string, change: Parameters<ResidencyJobsRepository['update']>[2] = {}): Promise<void> {
    await this.uow.run(() => this.stored.update(id, this.clock.now(), change));
  }

  /** Of the tenant, in their order. */
  async all(tenantId: string): Promise<Move[]> {
    return this.uow.read(() => this.stored.all(tenantId));
  }

  async get(id: string, kind: MoveKind): Promise<Move> {
    return this.uow.read(() => this.require(id, kind));
  }

  async parts(id: string): Promise<Part[]> {
    return this.uow.read(() => this.stored.parts(id));
  }

  /** In a unit of work. @throws NOT_FOUND */
  async require(id: string, kind: MoveKind): Promise<Move> {
    const move = await this.stored.find(id, kind);
    if (move === undefined) throw commonErrors.NOT_FOUND({ message: `No such ${kind}.` });
    return move;
  }

  /** @throws NOT_FOUND when no such tenant is here. */
  async requireTenant(tenantId: string): Promise<void> {
    const found = await inTenant(tenantId, () => this.uow.read(() => this.rows.tenantExists()));
    if (!found) throw commonErrors.NOT_FOUND({ message: 'No such tenant.' });
  }

  async finish(move: Move, { audited, ...outcome }: Outcome): Promise<void> {
    await this.uow.run(async () => {
      await this.note(move.id, { ...outcome, state: 'succeeded', ended: true });
      const ended = await this.require(move.id, move.kind);
      await this.record(`residency.${move.kind}.succeeded`, ended, { counts: audited });
    });
  }

  /** In a transaction. */
  async fail(move: Move, error: unknown): Promise<void> {
    const errorCode = isAppError(error) ? error.code : 'INTERNAL_ERROR';
    const counts = isAppError(error) && error.details !== undefined ? { counts: error.details } : {};
    await this.stored.update(move.id, this.clock.now(), { ...counts, state: 'failed', errorCode, ended: true });
    await this.record(`residency.${move.kind}.failed`, await this.require(move.id, move.kind));
  }

  /** In a transaction. */
  async record(event: string, move: Move, metadata: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.audit.record({
      event,
      outcome: move.errorCode === null ? 'success' : 'failure',
      resourceType: 'tenant',
      resourceId: move.tenantId,
      ...(move.errorCode === null ? {} : { errorCode: move.errorCode }),
      metadata: {
        job_id: move.id,
        moved_tenant: move.tenantId,
        region: move.region,
        state: move.state,
        ...(move.approver === null ? {} : { approver: move.approver }),
        ...archiveOf(move),
        ...metadata,
      },
    });
  }

  async #enqueue(moveId: string, kind: Work): Promise<void> {
    await this.jobs.enqueue(moveJob, { moveId, kind });
  }
}

/** By which the trails of two regions are put together. */
function archiveOf({ manifest }: Move): Readonly<Record<string, unknown>> {
  const { export_id, manifest_sha256, counts } = manifest ?? {};
  return manifest_sha256 === undefined ? {} : { export_id, manifest_sha256, counts };
}

/** Who asks, for the second pair of eyes. */
export function actor(): string {
  return currentContext().principal?.subjectId ?? 'system';
}
