import { Module } from '@nestjs/common';
import { QuotasModule } from '../quotas/index.js';
import { AddressThrottle } from './application/address-throttle.js';
import { FloodAudit } from './application/flood-audit.js';
import { RateLimits } from './application/rate-limits.js';
import { LimitRate } from './http/limit-rate.guard.js';
import { RefuseRequest } from './http/refuse-request.js';
import { ThrottleAddress } from './http/throttle-address.guard.js';

@Module({
  imports: [QuotasModule],
  providers: [FloodAudit, AddressThrottle, RateLimits, RefuseRequest, ThrottleAddress, LimitRate],
  exports: [AddressThrottle, ThrottleAddress, LimitRate],
})
export class RateLimitsModule {}
