import { Controller, Get } from '@nestjs/common';
import { Operation } from '../../../platform/http/index.js';
import { ResidencyStatus } from '../application/residency-status.js';

class PinnedTenantsDto {
  /** Null for pins that are no region. */
  region!: string | null;
  tenants!: number;
}

class ResidencyStatusDto {
  /** Of the process that answers; null in single-region mode. */
  zone!: string | null;
  /** Tenants by the region that they are pinned to, the 100 most frequent. */
  pinned_tenants!: PinnedTenantsDto[];
  /** Refused because of their pin by the process that answers, since it started. */
  mismatch_total!: number;
  /** Checks that passed though the pin could not be read and was never seen: of requests, of jobs, of where data may go. */
  fail_open_total!: number;
}

/** For operators only: it names the zone of the process. */
@Controller('v1/ops')
export class ResidencyStatusController {
  constructor(private readonly residency: ResidencyStatus) {}

  @Get('residency')
  @Operation({
    id: 'residency.status',
    summary: 'Where this process is, which pins there are, and what was refused',
    role: 'admin',
    authority: 'operator',
    rateClass: 'ops',
    cost: 1,
    unmetered: true,
    returns: ResidencyStatusDto,
  })
  async status(): Promise<ResidencyStatusDto> {
    const { zone, pins, mismatches, failedOpen } = await this.residency.current();
    return {
      zone: zone ?? null,
      pinned_tenants: [...pins],
      mismatch_total: mismatches,
      fail_open_total: failedOpen,
    };
  }
}
