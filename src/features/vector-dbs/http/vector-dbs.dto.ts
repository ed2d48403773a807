import { Transform } from 'class-transformer';
import { IsIn, IsNotEmpty, IsOptional, IsString, IsUrl, Matches, MaxLength } from 'class-validator';
import { IsFlag, trim } from '../../../platform/http/index.js';
import { DB_TYPES, REGION, type VectorDb, type VectorDbCounts } from '../domain/vector-db.js';

export class CreateVectorDbDto {
  @Transform(trim)
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  name!: string;

  @IsOptional()
  @IsIn(DB_TYPES)
  db_type?: (typeof DB_TYPES)[number] | null = 'chroma';

  /** Where the data physically is, such as `eu-central-1`. */
  @IsOptional()
  @Transform(trim)
  @Matches(REGION, { message: 'region must have 1 to 64 characters and no blank' })
  region?: string | null;

  /** Of an instance that somebody else created, where VECTOR_DB_PROVISIONER is `external`. */
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https', 'grpc', 'grpcs'], require_protocol: true, require_tld: false })
  @MaxLength(2048)
  url?: string | null;
}

export class DeleteVectorDbQuery {
  /** Detach what is attached to it. */
  @IsOptional()
  @IsFlag()
  force?: boolean;
}

export class VectorDbDto {
  id!: number;
  /** Bindings of keys name it by this. */
  uid!: string;
  name!: string;
  db_type!: string;
  url!: string | null;
  region!: string | null;
  status!: string;
  created_at!: string;
}

export class VectorDbDetailsDto extends VectorDbDto {
  active_attachments!: number;
  open_incidents!: number;
}

export function toVectorDbDto({ id, uid, name, dbType, url, region, status, createdAt }: VectorDb): VectorDbDto {
  return { id, uid, name, db_type: dbType, url, region, status, created_at: createdAt.toISOString() };
}

export function toVectorDbDetailsDto(db: VectorDb & VectorDbCounts): VectorDbDetailsDto {
  return { ...toVectorDbDto(db), active_attachments: db.activeAttachments, open_incidents: db.openIncidents };
}
