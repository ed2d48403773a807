import { bool, defineSettings, instant, int, list, type SettingsOf } from '../../kernel/settings.js';

export const httpSettings = defineSettings('http', 'HTTP', {
  port: int({ env: 'PORT', default: 8000, min: 0, max: 65_535, doc: 'Port of the API. 0 takes a free one.' }),
  maxJsonBytes: int({
    env: 'HTTP_MAX_JSON_BYTES',
    default: 2 * 1024 * 1024,
    min: 1024,
    max: 64 * 1024 * 1024,
    unit: 'bytes',
    doc: 'Largest JSON body; a larger one is answered 413.',
  }),
  maxFileBytes: int({
    env: 'INGEST_MAX_BYTES',
    default: 10 * 1024 * 1024,
    min: 1024,
    max: 1024 * 1024 * 1024,
    unit: 'bytes',
    doc: 'Largest uploaded file; a larger one is answered 413.',
  }),
  corsOrigins: list({
    env: 'CORS_ALLOWED_ORIGINS',
    default: [],
    doc: 'Origins of browser applications that may call the API, such as https://app.example.com.',
  }),
  trustProxyHops: int({
    env: 'TRUST_PROXY_HOPS',
    default: 0,
    min: 0,
    max: 10,
    unit: 'proxies',
    doc: 'Reverse proxies in front of the API. The client address is read from X-Forwarded-For past this many.',
  }),
  legacyRoutesEnabled: bool({
    env: 'LEGACY_ROUTES_ENABLED',
    default: true,
    doc: 'Serve the deprecated unversioned aliases. Off: they answer 410.',
  }),
  legacySunsetAt: instant({
    env: 'LEGACY_SUNSET_AT',
    default: '2026-05-10T00:00:00Z',
    doc: 'Instant announced in the Sunset header of the unversioned aliases.',
  }),
});

export type HttpSettings = SettingsOf<typeof httpSettings>;
