import { createHmac } from 'node:crypto';
import type { Secret } from '../../kernel/settings.js';

const PREFIX = 'whsec_';

/** The key that a secret stands for: the decoded bytes of `whsec_<base64>`, the UTF-8 bytes of any other text. */
function signingKey(secret: Secret): Buffer {
  const text = secret.reveal();
  return text.startsWith(PREFIX) ? Buffer.from(text.slice(PREFIX.length), 'base64') : Buffer.from(text);
}

/** What is wrong with a signing secret that must have some bytes; undefined when nothing is. */
export function secretFault(secret: Secret, leastBytes: number): string | undefined {
  const text = secret.reveal();
  if (text.startsWith(PREFIX) && !/^[A-Za-z0-9+/]*={0,2}$/.test(text.slice(PREFIX.length))) {
    return 'must have base64 after whsec_';
  }
  return signingKey(secret).length < leastBytes ? `must have at least ${leastBytes} bytes` : undefined;
}

/** The headers of Standard Webhooks 1.0: a receiver accepts the delivery when any of the signatures fits. */
export function standardHeaders(
  id: string,
  at: Date,
  body: string,
  secrets: readonly Secret[],
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const sign = (secret: Secret): string =>
    `v1,${createHmac('sha256', signingKey(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map(sign).join(' '),
  };
}
