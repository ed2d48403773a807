import { randomBytes, randomInt } from 'node:crypto';
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

export class SystemIds extends Ids {
  uuid(): string {
    return v7();
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
}
