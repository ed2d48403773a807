export { AddressThrottle } from './application/address-throttle.js';
export { LimitRate } from './http/limit-rate.guard.js';
export { ThrottleAddress } from './http/throttle-address.guard.js';
export { rateLimitsAudit } from './rate-limits.audit.js';
export { rateLimitsErrors } from './rate-limits.errors.js';
export { RateLimitsModule } from './rate-limits.module.js';
export { rateLimitsSettings } from './rate-limits.settings.js';
