import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Bell } from '../../../kernel/bell.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import type { FrameReader } from '../../../kernel/frame-reader.js';
import { Log } from '../../../kernel/log.js';
import { Clock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';
import type { KeyEvent } from '../domain/ledger.js';
import { KeyEventsRepository } from '../persistence/key-events.repository.js';

const CHANNEL = 'provider-keys.events';
/** Events that are held for one follower at once. */
const SLICE = 64;
/** How often a follower looks without being called, for calls can be lost; and is told that it is still followed. */
const LOOK_MS = 10_000;
/** After so long a follower has to come again, and to be let in again. */
const MOST_MS = 10 * 60_000;
/** Followers of one process. */
const MOST_FOLLOWERS = 256;
const MOST_FOLLOWERS_OF_TENANT = 16;

interface Follower {
  readonly tenantId: string;
  readonly providerId: string;
  readonly bell: Bell;
}

export interface Following {
  /** Id of the last event that the reader has. */
  readonly after: number;
  /** False: the stream ends with the events that there are. */
  readonly waiting: boolean;
  /** Called once nothing can be refused any more. */
  readonly open: () => FrameReader;
  readonly frame: (event: KeyEvent) => string;
  readonly heartbeat: string;
}

/** Events of keys, to those who follow them. */
@Injectable()
export class KeyEventFeed implements OnModuleInit, BeforeApplicationShutdown {
  readonly #followers = new Set<Follower>();
  #stopped = false;

  constructor(
    private readonly events: KeyEventsRepository,
    private readonly uow: UnitOfWork,
    private readonly state: SharedState,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.state.subscribe(CHANNEL, (message) => {
      for (const follower of this.#followers) if (topicOf(follower) === message) follower.bell.ring();
    });
  }

  /** Before the server waits for its connections. */
  beforeApplicationShutdown(): void {
    this.#stopped = true;
    for (const { bell } of this.#followers) bell.ring();
  }

  /** Calls the followers of every process, once the events are committed. */
  announce(tenantId: string, providerId: string): void {
    void this.state.publish(CHANNEL, topicOf({ tenantId, providerId })).catch((error: unknown) => {
      this.log.warn({ err: error, tenant_id: tenantId }, 'followers of key events learn of them a little later');
    });
  }

  /**
   * Writes the events of the tenant's provider after the one with this id, and those to come until the reader has gone
   * or has to come again.
   *
   * @throws SERVICE_BUSY, having opened nothing.
   */
  async follow(tenantId: string, providerId: string, following: Following): Promise<void> {
    const follower = { tenantId, providerId, bell: new Bell(this.clock) };
    const own = [...this.#followers].filter((other) => other.tenantId === tenantId);
    if (this.#stopped || this.#followers.size >= MOST_FOLLOWERS || own.length >= MOST_FOLLOWERS_OF_TENANT) {
      throw commonErrors.SERVICE_BUSY();
    }
    this.#followers.add(follower);
    try {
      await this.#write(follower, following, following.open());
    } catch (error) {
      this.log.warn({ err: error, provider_id: providerId }, 'a stream of key events broke off');
    } finally {
      this.#followers.delete(follower);
    }
  }

  async #write(
    { providerId, bell }: Follower,
    { after, waiting, frame, heartbeat }: Following,
    reader: FrameReader,
  ): Promise<void> {
    const until = this.clock.monotonic() + MOST_MS;
    reader.gone.addEventListener('abort', () => bell.ring());
    for (let seen = after; !reader.gone.aborted;) {
      const events = await this.uow.read(() => this.events.after(providerId, seen, SLICE));
      for (const event of events) {
        reader.write(frame(event));
        await reader.ready();
      }
      seen = events.at(-1)?.id ?? seen;
      if (events.length === SLICE) continue;
      if (!waiting || this.#stopped || this.clock.monotonic() >= until) return;
      if (events.length === 0) reader.write(heartbeat);
      await bell.wait(LOOK_MS);
    }
  }
}

function topicOf({ tenantId, providerId }: Pick<Follower, 'tenantId' | 'providerId'>): string {
  return `${providerId} ${tenantId}`;
}
