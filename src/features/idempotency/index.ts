export { IdempotencyKeys } from './application/idempotency-keys.js';
export { isReplayed, takesKey } from './domain/idempotency-key.js';
export { ReserveIdempotencyKey } from './http/reserve-idempotency-key.guard.js';
export { idempotencyErrors } from './idempotency.errors.js';
export { IdempotencyModule } from './idempotency.module.js';
export { idempotencySettings } from './idempotency.settings.js';
export { IdempotencyRecordEntity } from './persistence/idempotency-record.entity.js';
