import { Global, Module, type DynamicModule } from '@nestjs/common';
import { AuditTrail, type AuditEventSet } from '../../kernel/audit.js';
import { Log } from '../../kernel/log.js';
import { Clock } from '../../kernel/time.js';
import { UnitOfWork } from '../../platform/db/index.js';
import { AuditWriter } from './application/audit-writer.js';
import { AuditEventsRepository } from './persistence/audit-events.repository.js';

/** Binds the kernel's AuditTrail; global because every feature writes to it. */
@Global()
@Module({})
export class AuditModule {
  /** @param registry every declared event; anything else is refused. */
  static forRoot(registry: AuditEventSet): DynamicModule {
    return {
      module: AuditModule,
      providers: [
        AuditEventsRepository,
        {
          provide: AuditTrail,
          inject: [AuditEventsRepository, UnitOfWork, Clock, Log],
          useFactory: (events: AuditEventsRepository, uow: UnitOfWork, clock: Clock, log: Log) =>
            new AuditWriter(registry, events, uow, clock, log),
        },
      ],
      exports: [AuditTrail],
    };
  }
}
