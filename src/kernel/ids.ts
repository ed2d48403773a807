import { randomBytes, randomInt } from 'node:crypto';
import { v4, v5, v7 } from 'uuid';

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

const NAMESPACE = '3d2c8a5e-52b0-4b0e-9d2e-6a4f0c1b7e90';

/** UUIDv5: the same for the same parts. For what a repeated request must not make twice. */
export function derivedId(...parts: readonly string[]): string {
  return v5(JSON.stringify(parts), NAMESPACE);
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
