import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('idempotency_records')
export class IdempotencyRecordEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('text')
  id!: string;

  @Column({ name: 'actor_id', type: 'text' })
  actorId!: string;

  @Column('text')
  method!: string;

  @Column('text')
  path!: string;

  @Column({ name: 'idem_key', type: 'text' })
  idemKey!: string;

  @Column({ name: 'request_hash', type: 'text' })
  requestHash!: string;

  @Column('text')
  state!: 'in_progress' | 'committed' | 'completed';

  @Column('text')
  owner!: string;

  @Column({ name: 'locked_until', type: 'timestamptz' })
  lockedUntil!: Date;

  @Column({ name: 'response_status', type: 'int', nullable: true })
  responseStatus!: number | null;

  @Column({ name: 'response_headers', type: 'jsonb', nullable: true })
  responseHeaders!: Record<string, string | string[]> | null;

  @Column({ name: 'body_encrypted', type: 'bytea', nullable: true })
  bodyEncrypted!: Buffer | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt!: Date;
}
