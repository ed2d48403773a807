import { roleAtLeast, type Principal } from '../../../kernel/principal.js';

export const DB_TYPES = ['chroma', 'pgvector', 'qdrant', 'weaviate', 'milvus', 'aws_bedrock_kb', 'gcp_vertex'] as const;
export type DbType = (typeof DB_TYPES)[number];

/** A region as it is written down: trimmed, without a blank inside. Regions are compared exactly. */
export const REGION = /^\S{1,64}$/;

/** A managed vector database that workloads may be attached to. */
export interface VectorDb {
  readonly id: number;
  /** What the bindings of keys name it by. */
  readonly uid: string;
  readonly ownerId: string;
  readonly name: string;
  readonly dbType: DbType;
  /** Null until somebody says where the instance is. */
  readonly url: string | null;
  /** Where its data physically is; null when nobody recorded it. */
  readonly region: string | null;
  readonly status: 'registered' | 'ready';
  readonly createdAt: Date;
}

export interface VectorDbCounts {
  readonly activeAttachments: number;
  readonly openIncidents: number;
}

/** @param tenantAdminAccess whether admins act for every owner of their tenant. */
export function mayActOn(
  { ownerId }: Pick<VectorDb, 'ownerId'>,
  { subjectId, role }: Pick<Principal, 'subjectId' | 'role'>,
  tenantAdminAccess: boolean,
): boolean {
  return ownerId === subjectId || (tenantAdminAccess && roleAtLeast(role, 'admin'));
}
