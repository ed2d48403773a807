import type { Key } from './manifest.js';

export type MoveKind = 'export' | 'import' | 'migration' | 'purge';

export interface Move {
  readonly id: string;
  readonly kind: MoveKind;
  /** The tenant that moves. */
  readonly tenantId: string;
  /** `running`, `succeeded` or `failed`; `previewed` of a purge; a MigrationState. */
  readonly state: string;
  /** Where the tenant goes, or whence it came. */
  readonly region: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly manifest: Readonly<Record<string, unknown>> | null;
  readonly counts: Readonly<Record<string, unknown>>;
  readonly watermark: string | null;
  readonly errorCode: string | null;
  readonly actor: string;
  readonly approver: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly finishedAt: Date | null;
}

export type NewMove = Pick<Move, 'id' | 'kind' | 'tenantId' | 'state' | 'region' | 'parameters' | 'actor'> &
  Partial<Pick<Move, 'manifest' | 'counts' | 'watermark'>>;

export interface Part {
  /** From 1; the manifest is 0. */
  readonly number: number;
  readonly table: string;
  readonly after: Key | null;
  readonly through: Key | null;
  readonly rows: number;
  readonly sha256: string;
  readonly included: boolean;
}
