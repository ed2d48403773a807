import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';

export interface MaintenanceTask {
  readonly name: string;
  /** Does it for the context's tenant and no other, in short transactions, and returns how many rows it deleted. */
  readonly run: () => Promise<number>;
}

/** Token of the tasks that there are, as bound in app/. */
export const MAINTENANCE_TASKS = Symbol('maintenance tasks');

/** Tasks that recurring jobs do for all tenants, done now for the tenant of the context. */
@Injectable()
export class Maintenance {
  constructor(
    @Inject(MAINTENANCE_TASKS) private readonly tasks: readonly MaintenanceTask[],
    private readonly uow: UnitOfWork,
    private readonly audit: AuditTrail,
  ) {}

  /** @returns how many rows were deleted. @throws VALIDATION_ERROR for a task that there is not. */
  async run(name: string): Promise<number> {
    const task = this.tasks.find((candidate) => candidate.name === name);
    if (task === undefined) {
      const names = this.tasks.map((candidate) => candidate.name);
      throw commonErrors.VALIDATION_ERROR({ message: `task must be one of ${names.join(', ')}.` });
    }
    const deletedRows = await task.run();
    await this.uow.run(() =>
      this.audit.record({
        event: 'maintenance.task.run',
        outcome: 'success',
        resourceType: 'maintenance_task',
        resourceId: name,
        metadata: { task: name, deleted_rows: deletedRows },
      }),
    );
    return deletedRows;
  }
}
