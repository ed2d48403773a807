import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsFlag, IsInstant, IsUuid } from '../../../platform/http/index.js';
import type { KeyState } from '../domain/binding.js';
import type { KeyEvent } from '../domain/ledger.js';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 500;

export class KeyEventsQuery {
  @IsOptional()
  @IsUuid()
  key_id?: string;

  /** Of the key now, or after the event. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  state?: string;

  /** Occurred at this instant or later. */
  @IsOptional()
  @IsInstant()
  start?: string;

  /** Occurred at this instant or earlier. */
  @IsOptional()
  @IsInstant()
  end?: string;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE)
  limit?: number = DEFAULT_PAGE;

  /** `meta.page.next_cursor` of the page before. */
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  cursor?: string;
}

export class FollowQuery {
  /** `false`: the stream ends with the events that there are. */
  @IsOptional()
  @IsFlag()
  follow?: boolean;
}

export class KeyEventDto {
  /** Grows from event to event. */
  id!: number;
  provider_id!: string;
  provider_key_id!: string | null;
  event_type!: string;
  @ApiProperty({ type: 'object', additionalProperties: true })
  payload!: Record<string, unknown>;
  occurred_at!: string;
}

export class KeyAuditDto {
  event!: KeyEventDto;
  /** Of the key as it is now. */
  provider_key_state?: KeyState;
}

export function toKeyAuditDto({ keyState, ...event }: KeyEvent): KeyAuditDto {
  return {
    event: {
      id: event.id,
      provider_id: event.providerId,
      provider_key_id: event.keyId,
      event_type: event.type,
      payload: { ...event.payload },
      occurred_at: event.occurredAt.toISOString(),
    },
    ...(keyState === null ? {} : { provider_key_state: keyState }),
  };
}
