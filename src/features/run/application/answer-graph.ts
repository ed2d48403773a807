import { AsyncLocalStorage } from 'node:async_hooks';
import { Inject, Injectable } from '@nestjs/common';
import { Ids } from '../../../kernel/ids.js';
import { Clock } from '../../../kernel/time.js';
import { AuditTrail } from '../../../kernel/audit.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { ChatModel } from '../../../platform/model-gateway/index.js';
import { ReceiptWriter, type OpenReceipt, type Outcome, type ReceiptFate } from '../../receipts/index.js';
import { Retriever, type Retrieval } from '../../retrieval/index.js';
import { citationsFor, MarkerFilter, type Citation } from '../domain/citations.js';
import { windowHistory, type ChatMessage } from '../domain/history.js';
import { composePrompt, promptHash, PROMPT_TEMPLATE_SHA256, type Prompt } from '../domain/prompt.js';
import type { Usage } from '../domain/sse.js';
import { ConversationsRepository, type SessionKey } from '../persistence/conversations.repository.js';
import { runSettings, type RunSettings } from '../run.settings.js';
import { stored } from './failures.js';
import type { Run, RunSink } from './run.js';

/** What has become of the answer so far; also readable after a failure, for what must be kept of it. */
export class AnswerDraft {
  text = '';
  usage: Usage | null = null;
  /** What has become of its receipt. */
  fate: ReceiptFate = 'none';
  /** Of the receipt that is stored. */
  receiptId: string | null = null;
}

export interface Answer {
  readonly text: string;
  readonly citations: readonly Citation[];
  readonly usage: Usage | null;
}

interface Turn {
  readonly run: Run;
  readonly sink: RunSink;
  readonly signal: AbortSignal;
  readonly draft: AnswerDraft;
}

/** A turn, and the way into the context of its request. */
interface PlacedTurn {
  readonly turn: Turn;
  readonly inContext: <T>(work: () => T) => T;
}

/** A graph whose first nodes wait for their turn. */
interface ReadyGraph {
  readonly begin: (turn: PlacedTurn) => void;
  readonly ended: Promise<TurnState>;
}

interface TurnState {
  readonly history: readonly ChatMessage[];
  readonly retrieval: Retrieval;
  readonly citations: readonly Citation[];
}

type CompiledGraph = (turn: Promise<PlacedTurn>) => Promise<TurnState>;

/** Graphs that wait for a question: as many questions may come at once before one has to wait for the library. */
const MOST_READY = 16;

/**
 * The agent: load_history and retrieve side by side → generate, which writes the receipt first → save_checkpoint.
 * Branches, tools and further retrievals become nodes of it.
 *
 * The library takes as long to start a graph as the database to find the passages. So graphs are started ahead, outside
 * of any request, and wait; each node enters the context of the request that it gets. Outside of it there is no tenant,
 * and the database refuses.
 */
@Injectable()
export class AnswerGraph {
  #compiled: Promise<CompiledGraph> | undefined;
  readonly #ready: ReadyGraph[] = [];
  readonly #outside = AsyncLocalStorage.snapshot();

  constructor(
    private readonly uow: UnitOfWork,
    private readonly conversations: ConversationsRepository,
    private readonly retriever: Retriever,
    private readonly receipts: ReceiptWriter,
    private readonly model: ChatModel,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly ids: Ids,
    @Inject(runSettings.token) private readonly settings: RunSettings,
  ) {}

  /** Loads the graph library, and starts a graph, ahead of the first question. */
  async warm(): Promise<void> {
    await this.#graph();
    this.#prepare();
  }

  /**
   * Answers the question, sending deltas as they come. When it resolves, the answer is stored.
   *
   * @throws the signal's reason when aborted; otherwise the error of the node that failed. `turn.draft` then holds
   * what was sent.
   */
  async answer(turn: Turn): Promise<Answer> {
    const { begin, ended } = this.#ready.pop() ?? this.#start();
    begin({ turn, inContext: AsyncLocalStorage.snapshot() });
    const { citations } = await ended;
    return { text: turn.draft.text, citations, usage: turn.draft.usage };
  }

  #prepare(): void {
    if (this.#ready.length < MOST_READY) this.#ready.push(this.#start());
  }

  #start(): ReadyGraph {
    let begin: ReadyGraph['begin'] | undefined;
    const turn = new Promise<PlacedTurn>((resolve) => (begin = resolve));
    const ended = this.#outside(async () => (await this.#graph())(turn));
    // Who has the turn hears of it.
    ended.catch(() => undefined);
    return { begin: (placed) => begin?.(placed), ended };
  }

  #graph(): Promise<CompiledGraph> {
    this.#compiled ??= this.#compile();
    return this.#compiled;
  }

  async #compile(): Promise<CompiledGraph> {
    const { Annotation, END, START, StateGraph } = await import('@langchain/langgraph');
    await withoutTraces();
    const State = Annotation.Root({
      turn: Annotation<Promise<PlacedTurn>>,
      history: Annotation<readonly ChatMessage[]>,
      retrieval: Annotation<Retrieval>,
      citations: Annotation<readonly Citation[]>,
    });
    const graph = new StateGraph(State)
      .addNode('load_history', ({ turn }) => at(turn, (turn) => this.#loadHistory(turn)))
      .addNode('retrieve', ({ turn }) => at(turn, (turn) => this.#retrieve(turn)))
      .addNode('generate', (state) => at(state.turn, (turn) => this.#generate(turn, state)))
      .addNode('save_checkpoint', (state) => at(state.turn, (turn) => this.#save(turn, state)))
      .addEdge(START, 'load_history')
      .addEdge(START, 'retrieve')
      .addEdge(['load_history', 'retrieve'], 'generate')
      .addEdge('generate', 'save_checkpoint')
      .addEdge('save_checkpoint', END)
      .compile();
    return (turn) => graph.invoke({ turn });
  }

  async #loadHistory({ run, signal }: Turn): Promise<Pick<TurnState, 'history'>> {
    signal.throwIfAborted();
    const messages = await stored(() => this.uow.read(() => this.conversations.history(sessionKey(run), run.id)));
    return { history: windowHistory(messages, this.settings.historyMaxTokens, this.settings.charsPerToken) };
  }

  /** Sends nothing: the history may fail meanwhile, and end the stream. */
  async #retrieve({ run, signal }: Turn): Promise<Pick<TurnState, 'retrieval'>> {
    signal.throwIfAborted();
    const retrieval = await this.retriever.retrieve(run.corpus, {
      query: run.question.message,
      topK: run.topK,
      reader: 'principal',
      filter: run.question.filter,
      signal,
    });
    return { retrieval };
  }

  /** What the model is to be asked is on record before it is asked. */
  async #generate(
    turn: Turn,
    { history, retrieval }: Pick<TurnState, 'history' | 'retrieval'>,
  ): Promise<Pick<TurnState, 'citations'>> {
    const { run, sink, signal, draft } = turn;
    signal.throwIfAborted();
    const { provider, passages } = retrieval;
    const prompt = composePrompt({ history, question: run.question.message, chunks: passages });
    await this.#record(turn, retrieval, prompt);
    if (this.settings.debugEvents) sink.send('debug.retrieval', { provider, num_chunks: passages.length });
    const filter = new MarkerFilter(passages.length);
    const emit = (said: string): void => {
      const text = said.replaceAll('\0', '');
      if (text === '') return;
      // While the model says the rest, there is time to start the graph of another question.
      if (draft.text === '') setImmediate(() => this.#prepare());
      draft.text += text;
      sink.delta(text);
    };
    const { system, messages } = prompt;
    const request = { system, messages, passages: prompt.passages, question: run.question.message };
    for await (const event of this.model.stream(request, { signal, requestId: run.requestId })) {
      if (event.type === 'delta') emit(filter.push(event.text));
      else draft.usage = { input_tokens: event.inputTokens, output_tokens: event.outputTokens };
      await sink.ready();
    }
    signal.throwIfAborted();
    emit(filter.end());
    return { citations: citationsFor(passages, draft.text) };
  }

  async #record({ run, draft }: Turn, retrieval: Retrieval, prompt: Prompt): Promise<void> {
    if (run.receipt === undefined) return;
    const { message: query, sessionId, filter, topK: topKRequested } = run.question;
    const { provider, model } = this.model;
    draft.fate = await this.receipts.write(run.receipt, {
      tenantId: run.principal.tenantId,
      requestId: run.requestId,
      principal: run.principal,
      sessionId,
      corpusId: run.corpus.id,
      query,
      filter,
      topKRequested,
      topK: run.topK,
      retrieval,
      context: prompt.context,
      decisions: run.decisions,
      vectorDbId: run.vectorDbId,
      attachmentId: run.attachmentId,
      vectorDbRegion: run.vectorDbRegion,
      asked: {
        provider,
        model,
        promptTemplateHash: PROMPT_TEMPLATE_SHA256,
        promptHash: promptHash(prompt),
      },
    });
    if (draft.fate === 'stored') draft.receiptId = run.receipt.id;
  }

  async #save(
    { run, draft, signal }: Turn,
    { retrieval: { provider, passages } }: Pick<TurnState, 'retrieval'>,
  ): Promise<Record<string, never>> {
    signal.throwIfAborted();
    const key = sessionKey(run);
    const messageId = this.ids.uuid();
    const save = async (): Promise<Outcome> => {
      const { text: answer, usage } = draft;
      const message = {
        id: messageId,
        runId: run.id,
        role: 'assistant',
        content: answer,
        status: 'complete',
        usage,
      } as const;
      const state = {
        corpus_id: run.corpus.id,
        provider,
        top_k: run.topK,
        message_id: messageId,
        retrieved: passages.map(({ chunkId, documentId, source, score }) => ({
          chunk_id: chunkId,
          document_id: documentId,
          source,
          score,
        })),
      };
      await this.conversations.complete(key, message, { id: this.ids.uuid(), state });
      await this.audit.record({
        event: 'run.completed',
        outcome: 'success',
        resourceType: 'run',
        resourceId: run.requestId,
        metadata: {
          run_id: run.id,
          session_id: run.question.sessionId,
          corpus_id: run.corpus.id,
          provider,
          chunks: passages.length,
          latency_ms: Math.round(this.clock.monotonic() - run.startedAt),
          input_tokens: usage?.input_tokens ?? null,
          output_tokens: usage?.output_tokens ?? null,
        },
      });
      return { status: 'completed', errorCode: null, answer, messageId, usage };
    };
    await stored(() => this.receipts.close(receiptToClose(run, draft), save));
    return {};
  }
}

/**
 * The library makes an entry for its tracing service at each step of each node, also when nothing is traced: half of
 * what a graph costs. Ours traces nothing and its nodes take what they need from their state.
 */
async function withoutTraces(): Promise<void> {
  const { AsyncLocalStorageProviderSingleton: provider } = await import('@langchain/core/singletons');
  provider.runWithConfig = (_config, step) => step();
}

/** Works for a turn once there is one, in the context of its request. */
async function at<T>(turn: Promise<PlacedTurn>, work: (turn: Turn) => Promise<T>): Promise<T> {
  const placed = await turn;
  return placed.inContext(() => work(placed.turn));
}

export function sessionKey(run: Pick<Run, 'principal' | 'question'>): SessionKey {
  return { subjectId: run.principal.subjectId, sessionId: run.question.sessionId };
}

/** Undefined where there is none, nor will be. */
export function receiptToClose({ receipt }: Run, { fate }: AnswerDraft): OpenReceipt | undefined {
  return fate === 'none' ? undefined : receipt;
}
