import { Controller, Post, Query } from '@nestjs/common';
import { Operation } from '../../../platform/http/index.js';
import { Maintenance } from '../application/maintenance.js';
import { MaintenanceDto, MaintenanceQuery } from './maintenance.dto.js';

@Controller('v1/admin/maintenance')
export class MaintenanceController {
  constructor(private readonly maintenance: Maintenance) {}

  @Post('run')
  @Operation({
    id: 'maintenance.run',
    summary: 'Delete what is expired or too old, of the tenant and now',
    role: 'admin',
    rateClass: 'mutation',
    cost: 1,
    audit: ['maintenance.task.run'],
    errors: ['VALIDATION_ERROR'],
    returns: MaintenanceDto,
  })
  async run(@Query() { task }: MaintenanceQuery): Promise<MaintenanceDto> {
    return { task, status: 'completed', deleted_rows: await this.maintenance.run(task) };
  }
}
