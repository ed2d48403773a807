import { Inject, Injectable } from '@nestjs/common';
import { Bell } from '../../../kernel/bell.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { Log } from '../../../kernel/log.js';
import type { Principal } from '../../../kernel/principal.js';
import { Clock } from '../../../kernel/time.js';
import { AppendLogs, type LogPart } from '../../../platform/shared-state/index.js';
import { encodeFrame, RunFrames } from '../domain/sse.js';
import { runErrors } from '../run.errors.js';
import { runSettings, type RunSettings } from '../run.settings.js';
import { FrameRecorder } from './frame-recorder.js';
import type { FrameReader } from './run.js';

/** Frames that are held for one follower at once. */
const SLICE = 64;
/** How often a follower looks without being called: calls can be lost, and a process that died calls nobody. */
const LOOK_MS = 1000;
/** `error` and `done`. */
const END_FRAMES = 2;
const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Written beside the frames of a run. */
interface Label {
  readonly owner: readonly [tenantId: string, subjectId: string, apiKeyId: string];
  readonly requestId: string;
  readonly sessionId: string;
}

/** A place in the frames of a run, found for somebody who may read them. */
export interface Place {
  readonly runId: string;
  /** Number of the last frame that the reader has. */
  readonly after: number;
  readonly part: LogPart;
}

/** The frames of streamed runs, kept for clients that lost their connection. Only the key that asked may read them. */
@Injectable()
export class RunLogs {
  readonly #recorders = new Set<FrameRecorder>();
  /** By run; only runs that have some. */
  readonly #followers = new Map<string, number>();
  readonly #stop = new AbortController();

  constructor(
    private readonly logs: AppendLogs,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(runSettings.token) private readonly settings: RunSettings,
  ) {}

  /** Keeps the frames that are added from now on; undefined when none are to be kept. */
  record(runId: string, principal: Principal, names: Omit<Label, 'owner'>): FrameRecorder | undefined {
    if (this.#keepMs === 0) return undefined;
    const label: Label = { owner: ownerOf(principal), ...names };
    const recorder = new FrameRecorder(this.logs, this.clock, runId, JSON.stringify(label), this.#keepMs, () =>
      this.#recorders.delete(recorder),
    );
    this.#recorders.add(recorder);
    return recorder;
  }

  /**
   * @returns undefined for a run that is unknown, somebody else's, or whose frames after that are not kept.
   * @throws SHARED_STATE_UNAVAILABLE
   */
  async find(runId: string, after: number, principal: Principal): Promise<Place | undefined> {
    if (!RUN_ID.test(runId)) return undefined;
    const part = await this.#read(runId, after);
    if (part === undefined || (part.ended && after > part.length)) return undefined;
    const { owner } = labelOf(part);
    return ownerOf(principal).every((name, index) => name === owner[index]) ? { runId, after, part } : undefined;
  }

  /** @returns the release of a follower's place. @throws SERVICE_BUSY when the run has too many. */
  admit(runId: string): () => void {
    const count = this.#followers.get(runId) ?? 0;
    if (count >= this.settings.resumeMaxFollowers) throw commonErrors.SERVICE_BUSY();
    this.#followers.set(runId, count + 1);
    return () => {
      const left = (this.#followers.get(runId) ?? 1) - 1;
      if (left === 0) this.#followers.delete(runId);
      else this.#followers.set(runId, left);
    };
  }

  /**
   * Writes the frames after the place, those to come included, until the run's last one. Ends without it when the
   * frames are lost meanwhile or the process stops; the client may then resume elsewhere.
   */
  async follow({ runId, after, part }: Place, reader: FrameReader): Promise<void> {
    const bell = new Bell(this.clock);
    const ring = (): void => bell.ring();
    reader.gone.addEventListener('abort', ring);
    this.#stop.signal.addEventListener('abort', ring);
    let unwatch: (() => Promise<void>) | undefined;
    let seen = after;
    try {
      for (let next: LogPart | undefined = part; next !== undefined; next = await this.#read(runId, seen, after)) {
        for (const frame of next.entries) {
          reader.write(frame);
          await reader.ready();
        }
        seen += next.entries.length;
        const caughtUp = seen >= next.length;
        if (reader.gone.aborted || (caughtUp && (next.ended || this.#stop.signal.aborted))) return;
        if (unwatch === undefined) unwatch = await this.logs.watch(runId, ring);
        else if (caughtUp) await bell.wait(LOOK_MS);
        bell.reset();
      }
    } catch (error) {
      this.log.warn({ err: error, run_id: runId }, 'a resumed stream broke off');
    } finally {
      reader.gone.removeEventListener('abort', ring);
      this.#stop.signal.removeEventListener('abort', ring);
      await unwatch?.();
    }
  }

  /** Forgets the frames of these runs. Never rejects: what cannot be deleted now expires. */
  async forget(runIds: readonly string[]): Promise<void> {
    await Promise.all(runIds.map((id) => this.logs.delete(id).catch(() => undefined)));
  }

  /** After the last run has ended: waits until its frames are written, then lets the followers go. */
  async stop(): Promise<void> {
    const recorders = [...this.#recorders];
    for (const recorder of recorders) recorder.hurry();
    await Promise.all(recorders.map(({ settled }) => settled));
    this.#stop.abort();
  }

  get #keepMs(): number {
    return this.settings.resumeTtlSeconds * 1000;
  }

  /**
   * Reads on after the frame `seen`. Frames whose process died get their end first, once and for all readers; it may
   * have sent the last ones without keeping them, and who has those is told the end after what he has.
   *
   * @param had number of the last frame that the reader had when he came.
   */
  async #read(runId: string, seen: number, had = seen): Promise<LogPart | undefined> {
    const part = await this.logs.read(runId, seen, SLICE);
    if (part === undefined || (part.alive && !part.ended)) return part;
    if (!part.ended) await this.logs.finish(runId, part.length, interruption(part, part.length), this.#keepMs);
    const ended = part.ended ? part : await this.logs.read(runId, seen, SLICE);
    return ended?.ended === true ? this.#forReader(runId, ended, had) : ended;
  }

  async #forReader(runId: string, ended: LogPart, had: number): Promise<LogPart> {
    const kept = ended.length - END_FRAMES;
    if (had <= kept) return ended;
    const end = await this.logs.read(runId, kept, END_FRAMES);
    const died = end?.entries.join('') === interruption(ended, kept).join('');
    return died ? { ...ended, entries: interruption(ended, had), length: had + END_FRAMES } : ended;
  }
}

/** The frames that end a run whose process died, after the frame with this number. */
function interruption(log: Pick<LogPart, 'label'>, after: number): string[] {
  const { requestId, sessionId } = labelOf(log);
  const frames = new RunFrames(requestId, sessionId, after);
  const { code, message } = runErrors.RUN_INTERRUPTED({
    message: 'The server that was answering is gone. Ask again.',
  });
  return [frames.event('error', { code, message }), frames.event('done', {})].map(encodeFrame);
}

function labelOf({ label }: Pick<LogPart, 'label'>): Label {
  return JSON.parse(label) as Label;
}

function ownerOf({ tenantId, subjectId, apiKeyId }: Principal): Label['owner'] {
  return [tenantId, subjectId, apiKeyId];
}
