import type { Usage } from './sse.js';

/** A conversation of one subject. */
export interface Session {
  readonly id: string;
  readonly createdAt: Date;
  /** When its latest question came. */
  readonly lastSeenAt: Date;
  readonly messageCount: number;
  /** The run that is answering in it right now. */
  readonly activeRunId: string | null;
}

export interface StoredMessage {
  readonly id: string;
  /** From 1, in the order of the conversation. */
  readonly seq: number;
  readonly role: 'user' | 'assistant';
  readonly content: string;
  readonly status: 'complete' | 'cancelled' | 'error';
  readonly runId: string;
  readonly createdAt: Date;
  readonly usage: Usage | null;
}
