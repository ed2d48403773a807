import { describe, expect, it } from '@jest/globals';
import type { Operation, Route } from '../../kernel/operation.js';
import { RouteManifest } from './route-manifest.js';

const route = (method: string, path: string): Route => ({ method, path, operation: {} as Operation });
const manifest = new RouteManifest([
  route('GET', '/v1/corpora'),
  route('POST', '/v1/corpora'),
  route('GET', '/v1/corpora/:id'),
  route('GET', '/v1/corpora/current'),
  route('DELETE', '/v1/:kind/current'),
  route('GET', '/v1/:kind/:id/parts/:part'),
]);
const found = (method: string, path: string): unknown => {
  const match = manifest.match(method, path);
  return match !== undefined && 'route' in match ? [match.route.path, match.params] : match;
};

describe('RouteManifest', () => {
  it('finds the route with the fewest parameters, and reads them', () => {
    expect(found('GET', '/v1/corpora/current')).toEqual(['/v1/corpora/current', {}]);
    expect(found('GET', '/v1/corpora/a%20b')).toEqual(['/v1/corpora/:id', { id: 'a b' }]);
    expect(found('GET', '/v1/x/y/parts/1')).toEqual(['/v1/:kind/:id/parts/:part', { kind: 'x', id: 'y', part: '1' }]);
  });

  it('takes HEAD for GET, and a slash at the end for none', () => {
    expect(found('HEAD', '/v1/corpora/')).toEqual(['/v1/corpora', {}]);
  });

  it('goes on where a written-out path does not offer the method', () => {
    expect(found('DELETE', '/v1/corpora/current')).toEqual(['/v1/:kind/current', { kind: 'corpora' }]);
  });

  it('says what a path does offer', () => {
    expect(found('PATCH', '/v1/corpora')).toEqual({ allow: ['GET', 'HEAD', 'POST'] });
  });

  it.each(['/v1', '/v1//corpora', '/v1/corpora//', '/v1/Corpora', '/v1/corpora/a/b'])('does not know %s', (path) => {
    expect(found('GET', path)).toBeUndefined();
  });

  it('refuses a parameter that cannot be decoded', () => {
    expect(() => manifest.match('GET', '/v1/corpora/%zz')).toThrow(URIError);
  });
});
