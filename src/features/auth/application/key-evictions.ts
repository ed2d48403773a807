import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Log } from '../../../kernel/log.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { SharedState } from '../../../platform/shared-state/index.js';

const CHANNEL = 'auth.evict-key';

/** Makes every process forget a key that was checked before. */
@Injectable()
export class KeyEvictions implements OnApplicationShutdown {
  readonly #listeners: ((keyId: string) => void)[] = [];
  readonly #announcing = new Set<Promise<void>>();

  constructor(
    private readonly state: SharedState,
    private readonly uow: UnitOfWork,
    private readonly log: Log,
  ) {}

  /**
   * After the commit of the current unit: this process forgets the key before the change answers, the others by
   * message. Best effort there: where the message does not arrive the cache's lifetime ends the key.
   */
  evict(keyId: string): void {
    this.uow.afterCommit(() => {
      for (const listener of this.#listeners) listener(keyId);
      const announcing = this.#announce(keyId).finally(() => this.#announcing.delete(announcing));
      this.#announcing.add(announcing);
    });
  }

  /** A command ends right after its change: not before the others know. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#announcing);
  }

  async listen(evict: (keyId: string) => void): Promise<void> {
    this.#listeners.push(evict);
    await this.state.subscribe(CHANNEL, evict);
  }

  async #announce(keyId: string): Promise<void> {
    try {
      await this.state.publish(CHANNEL, keyId);
    } catch (error) {
      this.log.warn({ err: error, api_key_id: keyId }, 'other processes may honour this key until their caches expire');
    }
  }
}
