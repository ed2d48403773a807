import { IsNotEmpty, IsString, MaxLength } from 'class-validator';

export class MaintenanceQuery {
  /** Such as `prune_audit`; a name that is unknown is answered with those that there are. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(64)
  task!: string;
}

export class MaintenanceDto {
  task!: string;
  status!: 'completed';
  /** Of the caller's tenant. */
  deleted_rows!: number;
}
