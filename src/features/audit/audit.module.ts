import { Global, Module, type DynamicModule } from '@nestjs/common';
import { AuditTrail, type AuditEventSet } from '../../kernel/audit.js';
import { Log } from '../../kernel/log.js';
import { Clock } from '../../kernel/time.js';
import { UnitOfWork } from '../../platform/db/index.js';
import { AuditLog } from './application/audit-log.js';
import { AuditRetention } from './application/audit-retention.js';
import { AuditSealing } from './application/audit-sealing.js';
import { AuditVerification } from './application/audit-verification.js';
import { AuditWriter } from './application/audit-writer.js';
import { auditSettings, type AuditSettings } from './audit.settings.js';
import { AuditController } from './http/audit.controller.js';
import { AuditChainRepository } from './persistence/audit-chain.repository.js';
import { AuditEventsRepository } from './persistence/audit-events.repository.js';

/** Binds the kernel's AuditTrail; global because every feature writes to it. */
@Global()
@Module({})
export class AuditModule {
  /** @param registry every declared event; anything else is refused. */
  static forRoot(registry: AuditEventSet): DynamicModule {
    return {
      module: AuditModule,
      controllers: [AuditController],
      providers: [
        AuditChainRepository,
        AuditEventsRepository,
        AuditLog,
        AuditRetention,
        AuditSealing,
        AuditVerification,
        {
          provide: AuditTrail,
          inject: [AuditEventsRepository, UnitOfWork, Clock, Log, auditSettings.token],
          useFactory: (
            events: AuditEventsRepository,
            uow: UnitOfWork,
            clock: Clock,
            log: Log,
            { batchSize }: AuditSettings,
          ) => new AuditWriter(registry, events, uow, clock, log, batchSize),
        },
      ],
      exports: [AuditLog, AuditRetention, AuditTrail],
    };
  }
}
