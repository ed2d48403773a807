import { BlobStore } from '../../../src/platform/blob-store/index.js';
import { Gate } from '../run/scripted-chat.js';

/** A store in memory whose next texts a test may hold: requests wait in it, before the transaction that they end with. */
export class HeldBlobs extends BlobStore {
  readonly #blobs = new Map<string, Uint8Array>();
  #gates: Gate[] = [];
  /** Texts that are waiting now. */
  waiting = 0;

  /** Holds one text. @returns what lets it go. */
  holdNext(): Gate {
    const gate = new Gate();
    this.#gates.push(gate);
    return gate;
  }

  /** What is stored of a tenant. */
  texts(tenantId: string): string[] {
    const own = [...this.#blobs].filter(([key]) => key.startsWith(`tenants/${tenantId}/`));
    return own.map(([, bytes]) => Buffer.from(bytes).toString());
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const gate = this.#gates.shift();
    if (gate !== undefined) {
      this.waiting += 1;
      await gate.pass();
      this.waiting -= 1;
    }
    this.#blobs.set(key, bytes);
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#blobs.get(key));
  }

  delete(key: string): Promise<void> {
    this.#blobs.delete(key);
    return Promise.resolve();
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }
}
