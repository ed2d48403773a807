import { describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import { loadSettings } from '../../kernel/settings.js';
import { httpSettings } from './http.settings.js';
import { apiVersionOf, legacyRoutes } from './legacy-routes.js';

/** Where a request ends up, and the headers that it got on the way. */
function routed(url: string): { url: string; headers: string[] } {
  const headers: string[] = [];
  const settings = loadSettings({ LEGACY_ROUTES_ENABLED: 'true' }, [httpSettings]).get(httpSettings);
  const request = { url, path: url.split('?')[0] } as Request;
  const response = { setHeader: (name: string) => headers.push(name) } as unknown as Response;
  legacyRoutes(settings)(request, response, () => undefined);
  return { url: request.url, headers };
}

describe('the paths of a route', () => {
  it.each([
    ['/v1/providers/1/keys?limit=2', '/v1/providers/1/keys?limit=2', 'v1'],
    ['/api/providers', '/v1/providers', 'bare'],
    ['/api/providers?x', '/v1/providers?x', 'bare'],
    ['/api/vector-dbs?limit=1', '/v1/vector-dbs?limit=1', 'bare'],
    ['/api/providers/1/keys?limit=2', '/v1/providers/1/keys?limit=2', 'bare'],
    ['/api/vector-dbs/1/attachments', '/v1/vector-dbs/1/attachments', 'bare'],
    ['/admin/tenants/acme/config?x=1', '/v1/admin/tenants/acme/config?x=1', 'bare'],
    ['/admin/tenants/acme/config/x', '/v1/admin/tenants/acme/config/x', 'legacy'],
    ['/providers', '/v1/providers', 'legacy'],
    ['/api/corpora', '/v1/api/corpora', 'legacy'],
    ['/api/providers-of-mine', '/v1/api/providers-of-mine', 'legacy'],
    ['/x/api/providers', '/v1/x/api/providers', 'legacy'],
  ] as const)('%s is %s, answered as %s', (asked, target, version) => {
    const { url, headers } = routed(asked);
    expect([url, apiVersionOf(asked.split('?')[0] ?? '')]).toEqual([target, version]);
    expect(headers).toEqual(version === 'legacy' ? ['Deprecation', 'Sunset', 'Link'] : []);
  });
});
