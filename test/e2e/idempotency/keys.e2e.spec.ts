import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Test } from 'supertest';
import { TestApp, type Actor } from '../../harness/app.js';

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await TestApp.start();
  admin = await app.actor('admin');
});
afterAll(() => app.close());

const create = (key: string, body: object): Test =>
  admin.post('/v1/self-serve/api-keys', body).set('Idempotency-Key', key);
const keysNamed = (name: string) =>
  app.rows(`SELECT id FROM api_keys WHERE tenant_id = $1 AND name = $2`, [admin.tenantId, name]);

describe('creating an API key with an Idempotency-Key', () => {
  it('01 §9 case 1, 04 §6 case 13: answers twice with one key of the same secret, which works', async () => {
    const body = { name: 'once', role: 'reader' };
    const first = await create('create-1', body).expect(200);
    const second = await create('create-1', body).expect(200).expect('Idempotency-Replayed', 'true');
    expect(second.text).toBe(first.text);
    expect(second.body.data.api_key).toMatch(/^nrgk_/);
    expect(await keysNamed('once')).toHaveLength(1);
    const token = second.body.data.api_key as string;
    await app.anonymous().get('/v1/corpora').set('Authorization', `Bearer ${token}`).expect(200);
  });

  it('01 §9 case 2: with another role is 409, and makes no key', async () => {
    await create('create-2', { name: 'role', role: 'reader' }).expect(200);
    const other = await create('create-2', { name: 'role', role: 'editor' }).expect(409);
    expect(other.body.error.code).toBe('IDEMPOTENCY_KEY_CONFLICT');
    expect(await keysNamed('role')).toHaveLength(1);
  });

  it('01 §9 case 11: leaves no plain key in the database', async () => {
    const { body } = await create('create-3', { name: 'dump', role: 'reader' }).expect(200);
    const secret = (body.data.api_key as string).split('_')[2] ?? '';
    const tables = await app.rows<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'tenant_id'`,
    );
    for (const { name } of tables) {
      const rows = await app.rows(`SELECT to_jsonb(t)::text AS row FROM ${name} t`);
      expect([name, JSON.stringify(rows).includes(secret)]).toEqual([name, false]);
    }
    const [record] = await app.rows<{ body: string }>(
      `SELECT encode(body_encrypted, 'escape') AS body FROM idempotency_records WHERE idem_key = 'create-3'`,
    );
    expect(record?.body.length).toBeGreaterThan(0);
    expect(record?.body).not.toContain('nrgk_');
  });
});
