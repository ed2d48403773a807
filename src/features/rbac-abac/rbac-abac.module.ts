import { Module } from '@nestjs/common';
import { DocumentGrants } from './application/document-grants.js';
import { Authorize } from './http/authorize.guard.js';

@Module({ providers: [Authorize, DocumentGrants], exports: [Authorize, DocumentGrants] })
export class RbacAbacModule {}
