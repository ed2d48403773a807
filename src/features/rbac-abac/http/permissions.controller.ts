import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { MAX_PAGE, Operation, PageQuery, Reply } from '../../../platform/http/index.js';
import { DocumentPermissions } from '../application/document-permissions.js';
import {
  GrantedPermissionsDto,
  grantOf,
  GrantPermissionDto,
  GrantPermissionsDto,
  PermissionDto,
  PermissionListDto,
  toPermissionDto,
} from './permissions.dto.js';

const CHANGE = { role: 'admin', rateClass: 'mutation', cost: 1 } as const;

@Controller('v1/admin/authz/documents/:document_id/permissions')
export class PermissionsController {
  constructor(private readonly permissions: DocumentPermissions) {}

  @Get()
  @Operation({
    id: 'permissions.list',
    summary: 'List the permissions for a document, expired ones included',
    role: 'admin',
    rateClass: 'read',
    cost: 1,
    errors: ['NOT_FOUND', 'INVALID_CURSOR'],
    returns: PermissionListDto,
  })
  async list(
    @Param('document_id') documentId: string,
    @Query() { limit = MAX_PAGE, cursor }: PageQuery,
  ): Promise<Reply<PermissionListDto>> {
    const { items, nextCursor } = await this.permissions.list(documentId, limit, cursor);
    return new Reply({ items: items.map(toPermissionDto) }, { nextCursor });
  }

  @Post()
  @Operation({
    ...CHANGE,
    id: 'permissions.grant',
    summary: 'Grant a permission for a document, or change its expiry',
    status: 201,
    body: 'json',
    audit: ['authz.permission.granted'],
    errors: ['NOT_FOUND', 'VALIDATION_ERROR'],
    returns: PermissionDto,
  })
  async grant(@Param('document_id') documentId: string, @Body() body: GrantPermissionDto): Promise<PermissionDto> {
    return toPermissionDto(await this.permissions.grant(documentId, grantOf(body)));
  }

  @Post('bulk')
  @Operation({
    ...CHANGE,
    id: 'permissions.grantMany',
    summary: 'Grant up to 200 permissions for a document, all or none',
    status: 201,
    body: 'json',
    audit: ['authz.permission.granted'],
    errors: ['NOT_FOUND', 'VALIDATION_ERROR'],
    returns: GrantedPermissionsDto,
  })
  async grantMany(
    @Param('document_id') documentId: string,
    @Body() { permissions }: GrantPermissionsDto,
  ): Promise<GrantedPermissionsDto> {
    const granted = await this.permissions.grantAll(documentId, permissions.map(grantOf));
    return { items: granted.map(({ grant, created }) => ({ ...toPermissionDto(grant), created })) };
  }

  @Delete(':permission_id')
  @Operation({
    ...CHANGE,
    id: 'permissions.revoke',
    summary: 'Take a permission for a document back',
    audit: ['authz.permission.revoked'],
    errors: ['NOT_FOUND', 'AUTHZ_PERMISSION_NOT_FOUND'],
    returns: PermissionDto,
  })
  async revoke(
    @Param('document_id') documentId: string,
    @Param('permission_id') permissionId: string,
  ): Promise<PermissionDto> {
    return toPermissionDto(await this.permissions.revoke(documentId, permissionId));
  }
}
