import { Injectable } from '@nestjs/common';
import { Log } from '../../../kernel/log.js';
import { SharedState } from '../../../platform/shared-state/index.js';

const CHANNEL = 'auth.evict-key';

/** Tells every process to forget a key that was checked before. */
@Injectable()
export class KeyEvictions {
  constructor(
    private readonly state: SharedState,
    private readonly log: Log,
  ) {}

  /** Best effort: the change is made, and where the message does not arrive the cache's lifetime ends the key. */
  async announce(keyId: string): Promise<void> {
    try {
      await this.state.publish(CHANNEL, keyId);
    } catch (error) {
      this.log.warn({ err: error, api_key_id: keyId }, 'other processes may honour this key until their caches expire');
    }
  }

  async listen(evict: (keyId: string) => void): Promise<void> {
    await this.state.subscribe(CHANNEL, evict);
  }
}
