import { RunSlots } from '../../../src/features/run/application/run-slots.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { OpenStream, type StreamEvent } from '../../harness/sse.js';
import { asOwner, newCorpus, putChunks } from '../retrieval/chunks.js';
import { ScriptedChat } from './scripted-chat.js';

export interface StoredMessage {
  readonly seq: number;
  readonly role: string;
  readonly content: string;
  readonly status: string;
  readonly usage: unknown;
}

type Body = Record<string, unknown>;

let sessions = 0;
export const newSession = (): string => `session-${(sessions += 1)}`;

/** An application with a corpus that knows about penguins, somebody who asks, and a model that follows a script. */
export class Stage {
  private constructor(
    readonly app: TestApp,
    readonly chat: ScriptedChat,
    readonly editor: Actor,
    readonly reader: Actor,
    readonly corpusId: string,
  ) {}

  /** @param chat 'real' for the model that the settings name. */
  static async start(
    env: Record<string, string> = {},
    chat: ScriptedChat | 'real' = new ScriptedChat(),
  ): Promise<Stage> {
    const app = await TestApp.start(env, chat === 'real' ? {} : { chat }, false);
    const editor = await app.actor('editor');
    const reader = await app.actor('reader', editor.tenantId);
    const corpusId = await newCorpus(editor);
    await putChunks(app, editor.tenantId, corpusId, [
      { text: 'Penguins are birds that cannot fly.' },
      { text: 'Penguins eat krill and small fish.' },
    ]);
    return new Stage(app, chat === 'real' ? new ScriptedChat() : chat, editor, reader, corpusId);
  }

  close(): Promise<void> {
    return this.app.close();
  }

  body(body: Body = {}): Body {
    return { session_id: newSession(), corpus_id: this.corpusId, message: 'What do penguins eat?', ...body };
  }

  open(body: Body = {}, headers: Record<string, string> = {}, by: Actor = this.reader): Promise<OpenStream> {
    return OpenStream.post(`${this.app.url}/v1/run`, by.token, this.body(body), headers);
  }

  /** Every event of a run that is read to its end. */
  async ask(body: Body = {}, by: Actor = this.reader): Promise<StreamEvent[]> {
    return (await this.open(body, {}, by)).end();
  }

  async messages(sessionId: string, by: Actor = this.reader): Promise<StoredMessage[]> {
    return this.app.rows<StoredMessage>(
      `SELECT seq::int, role, content, status, usage FROM messages
        WHERE tenant_id = $1 AND subject_id = $2 AND session_id = $3 ORDER BY seq`,
      [by.tenantId, by.userId, sessionId],
    );
  }

  async sessions(sessionId: string): Promise<{ active_run_id: string | null }[]> {
    return this.app.rows(`SELECT active_run_id FROM sessions WHERE id = $1`, [sessionId]);
  }

  /** Statements that only the owner of the tables may run, such as ALTER TABLE. */
  asOwner(sql: string): Promise<void> {
    return asOwner(this.app, sql);
  }

  get freeSlots(): number {
    return this.app.app.nest.get(RunSlots).free;
  }
}

export const types = (events: readonly StreamEvent[]): string[] =>
  events.map((event) => (event.data.type as string | undefined) ?? event.event);

export function only(events: readonly StreamEvent[], type: string): StreamEvent['data'] {
  const found = events.filter((event) => event.data.type === type);
  if (found.length !== 1) throw new Error(`${found.length} events of type ${type} among ${types(events).join(', ')}`);
  return found[0]?.data.data;
}

export const textOf = (events: readonly StreamEvent[]): string =>
  events
    .filter((event) => event.data.type === 'token.delta')
    .map((event) => event.data.data.delta as string)
    .join('');
