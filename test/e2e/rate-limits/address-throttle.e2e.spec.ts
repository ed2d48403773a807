import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp, type Actor } from '../../harness/app.js';

const AT_ONCE = 20;

let app: TestApp;
let known: Actor;
beforeAll(async () => {
  // So slow that the speed of the machine does not matter.
  const env = { RATE_LIMIT_ENABLED: 'true', TRUST_PROXY_HOPS: '1', PREAUTH_IP_RPS: '0.01' };
  app = await TestApp.start(env, {}, false);
  known = await app.actor('reader');
});
afterAll(() => app.close());

/** Somebody at an address of the caller's choice, as the proxy in front reports it. */
const from = (address: string, token: string) =>
  fetch(`${app.url}/v1/corpora`, { headers: { Authorization: `Bearer ${token}`, 'X-Forwarded-For': address } });

const wrongToken = (n: number): string => `nrgk_${n.toString(16).padStart(32, '0')}_${'A'.repeat(43)}`;

/** @returns how often each status was answered. */
async function flood(address: string, requests: number): Promise<Record<number, number>> {
  const answered: Record<number, number> = {};
  for (let n = 0; n < requests; n += AT_ONCE) {
    const responses = await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => from(address, wrongToken(n + k))));
    for (const { status } of responses) answered[status] = (answered[status] ?? 0) + 1;
    await Promise.all(responses.map((response) => response.arrayBuffer()));
  }
  return answered;
}

describe('an address that guesses', () => {
  const ATTACKER = '203.0.113.9';

  it('01 §5 case 12: 1000 bad tokens: 429 after the first hundred, and the audit trail stays small', async () => {
    expect((await from(ATTACKER, known.token)).status).toBe(200);
    const began = performance.now();
    const answered = await flood(ATTACKER, 1000);
    const seconds = (performance.now() - began) / 1000;
    const most = 100 + 0.01 * seconds + AT_ONCE;
    expect(answered[401]).toBeGreaterThanOrEqual(100);
    expect(answered[401]).toBeLessThanOrEqual(most);
    expect(answered[429]).toBe(1000 - (answered[401] ?? 0));
    const rows = await app.audit(null);
    expect(rows.filter(({ event_type }) => event_type === 'auth.access.failure')).toHaveLength(answered[401] ?? 0);
    const refusals = rows.filter(({ event_type }) => event_type === 'security.rate_limited');
    expect(refusals.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(seconds / 10));
    expect(refusals[0]).toMatchObject({
      actor_type: 'anonymous',
      ip_address: ATTACKER,
      metadata_json: { scope: 'ip', route_class: 'read', path: '/v1/corpora' },
    });
  });

  it('is told when to come back', async () => {
    const response = await from(ATTACKER, wrongToken(1));
    expect(response.status).toBe(429);
    const { error } = (await response.json()) as { error: { details: { retry_after_ms: number } } };
    const { retry_after_ms: ms } = error.details;
    expect(error).toEqual({
      code: 'RATE_LIMITED',
      message: expect.stringContaining('address'),
      details: { scope: 'ip', route_class: 'read', retry_after_ms: ms },
    });
    expect(response.headers.get('Retry-After')).toBe(String(Math.ceil(ms / 1000)));
    expect(response.headers.get('X-RateLimit-Scope')).toBe('ip');
  });

  // One guesser in an office must not lock the office out; nor may all of it be let in for one good key.
  it('does not keep a key from passing that was accepted before, and keeps every other waiting', async () => {
    const stranger = await app.actor('reader');
    await flood(ATTACKER, 200);
    expect((await from(ATTACKER, known.token)).status).toBe(200);
    expect((await from(ATTACKER, stranger.token)).status).toBe(429);
    expect((await from('198.51.100.7', stranger.token)).status).toBe(200);
    expect((await from(ATTACKER, stranger.token)).status).toBe(200);
  });

  it('is refused before its credential is looked up, and still reads what is public', async () => {
    await flood(ATTACKER, 200);
    await app.anonymous().get('/v1/health').set('X-Forwarded-For', ATTACKER).expect(200);
    await app.anonymous().get('/v1/corpora').set('X-Forwarded-For', ATTACKER).expect(429);
    const stages = app.logs.filter(({ msg }) => msg === 'request').at(-1)?.['stages'];
    expect(stages).toEqual(['context', 'route', 'throttle']);
  });
});
