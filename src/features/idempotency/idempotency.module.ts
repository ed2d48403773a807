import { Module } from '@nestjs/common';
import { IdempotencyKeys } from './application/idempotency-keys.js';
import { ReserveIdempotencyKey } from './http/reserve-idempotency-key.guard.js';
import { IdempotencyRepository } from './persistence/idempotency.repository.js';

@Module({
  providers: [IdempotencyRepository, IdempotencyKeys, ReserveIdempotencyKey],
  exports: [IdempotencyKeys, ReserveIdempotencyKey],
})
export class IdempotencyModule {}
