/** Paths that every process answers, whoever asks: exactly these, as they were asked for. */
const EXEMPT: ReadonlySet<string> = new Set([
  '/v1/health',
  '/health',
  '/healthz',
  '/readyz',
  '/ready',
  '/docs',
  '/redoc',
  '/openapi.json',
  '/v1/docs',
  '/v1/redoc',
  '/v1/openapi.json',
  '/v1/version',
  '/metrics',
  '/.well-known/receipt-keys.json',
]);

export function isExempt(path: string): boolean {
  return EXEMPT.has(path);
}
