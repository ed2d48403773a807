import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { DocumentGrants } from './application/document-grants.js';
import { Authorize } from './http/authorize.guard.js';

@Module({ imports: [AuthModule], providers: [Authorize, DocumentGrants], exports: [Authorize, DocumentGrants] })
export class RbacAbacModule {}
