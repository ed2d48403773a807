import type { Page } from '../../../kernel/cursor.js';
import type { Session, StoredMessage } from '../domain/session.js';

export class SessionDto {
  id!: string;
  created_at!: string;
  /** Time of the latest question. */
  last_seen_at!: string;
  message_count!: number;
  /** The run that is answering in it; its events are at /v1/runs/{id}/events. */
  active_run_id!: string | null;
}

export class MessageUsageDto {
  input_tokens!: number;
  output_tokens!: number;
}

export class MessageDto {
  id!: string;
  /** From 1, in the order of the conversation. */
  seq!: number;
  role!: 'user' | 'assistant';
  content!: string;
  /** `cancelled`: the client left; this is what had been written. */
  status!: 'complete' | 'cancelled' | 'error';
  run_id!: string;
  created_at!: string;
  /** Null where the provider counted nothing. */
  usage!: MessageUsageDto | null;
}

export class MessagesDto {
  items!: MessageDto[];
  /** For the next page; null on the last. */
  next_cursor!: string | null;
}

export function toSessionDto(session: Session): SessionDto {
  return {
    id: session.id,
    created_at: session.createdAt.toISOString(),
    last_seen_at: session.lastSeenAt.toISOString(),
    message_count: session.messageCount,
    active_run_id: session.activeRunId,
  };
}

export function toMessagesDto({ items, nextCursor }: Page<StoredMessage>): MessagesDto {
  return { items: items.map(toMessageDto), next_cursor: nextCursor };
}

function toMessageDto({ id, seq, role, content, status, runId, createdAt, usage }: StoredMessage): MessageDto {
  return { id, seq, role, content, status, run_id: runId, created_at: createdAt.toISOString(), usage };
}
