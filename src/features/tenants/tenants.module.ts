import { Module } from '@nestjs/common';
import { Tenants } from './application/tenants.js';

@Module({ providers: [Tenants], exports: [Tenants] })
export class TenantsModule {}
