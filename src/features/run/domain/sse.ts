import type { Citation } from './citations.js';

/** Tokens as the model provider counted them. */
export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
}

/** What each event carries under `data`, as sent. */
export interface RunEventData {
  'request.accepted': { readonly accepted_at: string; readonly top_k_effective: number };
  'debug.retrieval': { readonly provider: string; readonly num_chunks: number };
  'token.delta': { readonly delta: string };
  'message.final': {
    readonly text: string;
    readonly citations: readonly Citation[];
    readonly usage: Usage | null;
    /** Null when none was written. */
    readonly receipt_id: string | null;
    readonly receipt_emitted: boolean;
  };
  'audio.error': { readonly code: string; readonly message: string };
  error: { readonly code: string; readonly message: string };
  'resume.unsupported': { readonly message: string };
  /** The receipt is not known where a stream only ends another one. */
  done: { readonly receipt_id?: string | null };
}

export type RunEventType = keyof RunEventData;

/** Payload of every frame but heartbeats. */
export type RunEventPayload = {
  readonly [T in RunEventType]: {
    readonly type: T;
    readonly request_id: string;
    readonly session_id: string;
    readonly data: RunEventData[T];
    readonly seq: number;
  };
}[RunEventType];

export interface HeartbeatPayload {
  readonly ts: string;
  readonly request_id: string;
  readonly seq: number;
}

/** One server-sent event. `seq` is its `id` and what a client resumes after. */
export interface RunFrame {
  readonly event: string;
  readonly seq: number;
  readonly payload: RunEventPayload | HeartbeatPayload;
}

/** The SSE event name: heartbeats, SLA and cost events are listened to by name, every other type is a `message`. */
export function eventNameOf(type: string): string {
  return /^(heartbeat$|sla\.|cost\.)/.test(type) ? type : 'message';
}

/**
 * The frames of one stream: numbers them from 1 without gaps, heartbeats included. Number and send in the same order;
 * a frame that was made but not sent leaves a gap that clients take for loss.
 */
export class RunFrames {
  #lastSeq: number;

  /** @param after number of the last frame that there is already. */
  constructor(
    private readonly requestId: string,
    private readonly sessionId: string,
    after = 0,
  ) {
    this.#lastSeq = after;
  }

  event<T extends RunEventType>(type: T, data: RunEventData[T]): RunFrame {
    const seq = this.#next();
    const payload = { type, request_id: this.requestId, session_id: this.sessionId, data, seq } as RunEventPayload;
    return { event: eventNameOf(type), seq, payload };
  }

  heartbeat(now: Date): RunFrame {
    const seq = this.#next();
    return {
      event: eventNameOf('heartbeat'),
      seq,
      payload: { ts: now.toISOString(), request_id: this.requestId, seq },
    };
  }

  #next(): number {
    this.#lastSeq += 1;
    return this.#lastSeq;
  }
}

/** The frame on the wire. JSON has no raw line break, so the data is always one line. */
export function encodeFrame(frame: RunFrame): string {
  return `event: ${frame.event}\nid: ${frame.seq}\ndata: ${JSON.stringify(frame.payload)}\n\n`;
}
