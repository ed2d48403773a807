import { Module } from '@nestjs/common';
import { AuditTrail } from '../../kernel/audit.js';
import { Log } from '../../kernel/log.js';
import { Settings } from '../../kernel/settings.js';
import { Clock } from '../../kernel/time.js';
import { UnitOfWork } from '../../platform/db/index.js';
import { SharedState } from '../../platform/shared-state/index.js';
import { Tenants, TenantsModule } from '../tenants/index.js';
import { ApiKeys } from './application/api-keys.js';
import { Authenticator } from './application/authenticator.js';
import { authSettings } from './auth.settings.js';
import { ApiKeyStrategy } from './http/api-key.strategy.js';
import { Authenticate } from './http/authenticate.guard.js';
import { ApiKeysRepository } from './persistence/api-keys.repository.js';

@Module({
  imports: [TenantsModule],
  providers: [
    ApiKeysRepository,
    ApiKeys,
    {
      provide: Authenticator,
      inject: [Settings, ApiKeysRepository, Tenants, UnitOfWork, SharedState, AuditTrail, Clock, Log],
      useFactory: (settings: Settings, ...rest: Rest) => new Authenticator(settings.get(authSettings), ...rest),
    },
    {
      provide: ApiKeyStrategy,
      inject: [Authenticator, Settings],
      useFactory: (authenticator: Authenticator, settings: Settings) =>
        new ApiKeyStrategy(authenticator, settings.get(authSettings)),
    },
    Authenticate,
  ],
  exports: [ApiKeys, Authenticate],
})
export class AuthModule {}

type Rest = [ApiKeysRepository, Tenants, UnitOfWork, SharedState, AuditTrail, Clock, Log];
