import { randomBytes, randomFillSync, randomInt } from 'node:crypto';
import { v4, v7 } from 'uuid';

/** The only source of identifiers and randomness; tests replace it where they need fixed values. */
export abstract class Ids {
  /** UUIDv7: sorts by creation time. For rows and requests. */
  abstract uuid(): string;
  /** UUIDv4: says nothing about its creation. For identifiers that leave the platform as capabilities. */
  abstract opaque(): string;
  /** `bytes` random bytes, base64url without padding. */
  abstract secret(bytes: number): string;
  /** Uniform in [0, 1). For jitter only. */
  abstract fraction(): number;
}

/** Of any version, in either case. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

const BYTES_PER_ID = 16;
const DRAWN_IDS = 256;

export class SystemIds extends Ids {
  /** Random bytes for ids to come: drawn one by one they would cost ten times as much as the rest of an id. */
  readonly #drawn = new Uint8Array(DRAWN_IDS * BYTES_PER_ID);
  #used = this.#drawn.length;
  #msecs = 0;
  #seq = 0;

  /** Those of one process sort by creation within a millisecond, too. */
  uuid(): string {
    const now = Date.now();
    const random = this.#random();
    if (now > this.#msecs) {
      this.#msecs = now;
      this.#seq = new DataView(random.buffer, random.byteOffset).getUint32(0) >>> 1;
    } else {
      this.#seq += 1;
    }
    return v7({ msecs: this.#msecs, seq: this.#seq, random });
  }
  opaque(): string {
    return v4();
  }
  secret(bytes: number): string {
    return randomBytes(bytes).toString('base64url');
  }
  fraction(): number {
    return randomInt(0, 2 ** 32) / 2 ** 32;
  }

  #random(): Uint8Array {
    if (this.#used === this.#drawn.length) {
      randomFillSync(this.#drawn);
      this.#used = 0;
    }
    this.#used += BYTES_PER_ID;
    return this.#drawn.subarray(this.#used - BYTES_PER_ID, this.#used);
  }
}
