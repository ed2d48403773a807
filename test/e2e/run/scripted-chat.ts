import { abortable } from '../../../src/kernel/abort.js';
import {
  ChatModel,
  type ChatEvent,
  type ChatOptions,
  type ChatRequest,
} from '../../../src/platform/model-gateway/index.js';

export interface ChatCall {
  readonly request: ChatRequest;
  readonly signal: AbortSignal;
}

export type Script = (call: ChatCall) => AsyncIterable<ChatEvent>;

/** A model that says what the test lets it say, and remembers what it was asked. */
export class ScriptedChat extends ChatModel {
  readonly provider = 'scripted';
  readonly model = 'scripted-1';
  readonly calls: ChatCall[] = [];

  constructor(public script: Script = says('Hello', ' world.')) {
    super();
  }

  stream(request: ChatRequest, { signal }: ChatOptions): AsyncIterable<ChatEvent> {
    const call = { request, signal };
    this.calls.push(call);
    return this.script(call);
  }

  get lastCall(): ChatCall {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error('The model was not asked.');
    return call;
  }
}

/** Holds a script until it is opened. */
export class Gate {
  readonly #opened: Promise<void>;
  open!: () => void;

  constructor() {
    this.#opened = new Promise((resolve) => (this.open = resolve));
  }

  pass(signal = new AbortController().signal): Promise<void> {
    return abortable(this.#opened, signal);
  }
}

/** Texts are deltas, gates are waited for, errors are thrown. */
export function says(...parts: readonly (string | Gate | Error)[]): Script {
  return async function* ({ signal }) {
    for (const part of parts) {
      signal.throwIfAborted();
      if (part instanceof Error) throw part;
      if (typeof part === 'string') yield { type: 'delta', text: part };
      else await part.pass(signal);
    }
  };
}
