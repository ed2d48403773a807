import { Module } from '@nestjs/common';
import { TenantsModule } from '../tenants/index.js';
import { AdministerKeys } from './application/administer-keys.js';
import { ApiKeys } from './application/api-keys.js';
import { Authenticator } from './application/authenticator.js';
import { KeyChanges } from './application/key-changes.js';
import { KeyEvictions } from './application/key-evictions.js';
import { Operators } from './application/operators.js';
import { KeyReports } from './application/key-reports.js';
import { Subjects } from './application/subjects.js';
import { ApiKeysController } from './http/api-keys.controller.js';
import { Authenticate } from './http/authenticate.guard.js';
import { SelfServeKeysController } from './http/self-serve-keys.controller.js';
import { ApiKeysRepository } from './persistence/api-keys.repository.js';

@Module({
  imports: [TenantsModule],
  controllers: [ApiKeysController, SelfServeKeysController],
  providers: [
    ApiKeysRepository,
    KeyEvictions,
    ApiKeys,
    KeyChanges,
    AdministerKeys,
    KeyReports,
    Authenticator,
    Authenticate,
    Operators,
    Subjects,
  ],
  exports: [ApiKeys, Authenticate, Operators, Subjects],
})
export class AuthModule {}
