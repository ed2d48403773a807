/**
 * The last line against content and credentials in the trail. Keys that sound like them lose their value, and so do
 * strings that look like a credential under any key.
 */
const SENSITIVE_KEY = /api_key|authorization|token|secret|password|text|content/;

/** Names that only sound sensitive: counts, types and identifiers. */
const SAFE_KEYS = new Set([
  'api_key_id',
  'content_type',
  'context',
  'daily_tokens_limit',
  'estimated_tokens',
  'input_tokens',
  'monthly_tokens_limit',
  'output_tokens',
  'target_api_key_id',
  'text_length',
  'token_count',
  'tokens',
]);

/** The first twelve characters of an API key are its public name, not a credential. */
const CREDENTIAL =
  /nrgk_(?![0-9a-f]{7}$)|nrgss_|\bbearer\s+\S|\beyJ[\w-]+\.[\w-]+\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[A-Z0-9]{16}\b/i;

export const REDACTED = '[REDACTED]';

export function redact(value: unknown): unknown {
  if (typeof value === 'string') return CREDENTIAL.test(value) ? REDACTED : value;
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => {
      const name = key.toLowerCase();
      return [key, SENSITIVE_KEY.test(name) && !SAFE_KEYS.has(name) ? REDACTED : redact(child)];
    }),
  );
}

const MAX_BYTES = 8 * 1024;

/** Redacted metadata of at most 8 KiB; larger metadata is replaced by a marker that gives its size. */
export function storableMetadata(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const redacted = redact(metadata) as Record<string, unknown>;
  const bytes = Buffer.byteLength(JSON.stringify(redacted));
  return bytes <= MAX_BYTES ? redacted : { truncated: true, bytes };
}
