import { Injectable } from '@nestjs/common';
import { TenantConfigsRepository, type PinCount } from '../persistence/tenant-configs.repository.js';
import { FailedOpen } from './failed-open.js';
import { ResidencyGate } from './residency-gate.js';
import { Residency } from './residency.js';

export interface Status {
  readonly zone: string | undefined;
  /** Of all tenants. */
  readonly pins: readonly PinCount[];
  /** Of this process, since it started. */
  readonly mismatches: number;
  readonly failedOpen: number;
}

@Injectable()
export class ResidencyStatus {
  constructor(
    private readonly residency: Residency,
    private readonly gate: ResidencyGate,
    private readonly failedOpen: FailedOpen,
    private readonly configs: TenantConfigsRepository,
  ) {}

  async current(): Promise<Status> {
    const { mismatches } = this.gate;
    return {
      zone: this.residency.zone,
      pins: await this.configs.pins(),
      mismatches,
      failedOpen: this.failedOpen.total,
    };
  }
}
