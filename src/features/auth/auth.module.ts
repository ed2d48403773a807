import { Module } from '@nestjs/common';
import { TenantsModule } from '../tenants/index.js';
import { ApiKeys } from './application/api-keys.js';
import { Authenticator } from './application/authenticator.js';
import { KeyEvictions } from './application/key-evictions.js';
import { Authenticate } from './http/authenticate.guard.js';
import { ApiKeysRepository } from './persistence/api-keys.repository.js';

@Module({
  imports: [TenantsModule],
  providers: [ApiKeysRepository, KeyEvictions, ApiKeys, Authenticator, Authenticate],
  exports: [ApiKeys, Authenticate],
})
export class AuthModule {}
