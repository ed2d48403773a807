import { createHash, hash, timingSafeEqual } from 'node:crypto';

/** Lower-case hex SHA-256 of bytes, or of text as UTF-8. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** Compares secrets without telling, by its duration, how much of them agrees. */
export function equalInConstantTime(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}
