import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp, type Actor } from '../../harness/app.js';

let app: TestApp;
let editor: Actor;

beforeAll(async () => {
  app = await TestApp.start();
  editor = await app.actor('editor');
});
afterAll(() => app.close());

/** As the owner of the schema, whatever role the connection was left in. */
const change = (statement: string) => app.dataSource.query(`BEGIN; SET LOCAL ROLE NONE; ${statement}; COMMIT`);

describe('a statement that fails', () => {
  beforeAll(() => change('ALTER TABLE corpora RENAME COLUMN name TO label'));
  afterAll(() => change('ALTER TABLE corpora RENAME COLUMN label TO name'));

  it('is 500 INTERNAL_ERROR without a word of SQL, under the id that the log has', async () => {
    const response = await editor.get('/v1/corpora').set('X-Request-Id', 'broken-1').expect(500);
    expect(response.body).toEqual({
      error: {
        code: 'INTERNAL_ERROR',
        message: 'Something went wrong on our side. Quote meta.request_id when you report it.',
      },
      meta: { request_id: 'broken-1', api_version: 'v1' },
    });
    expect(response.get('X-Request-Id')).toBe('broken-1');
    expect(response.get('Server-Timing')).toContain('total');
    const lines = app.logs.filter((line) => line['request_id'] === 'broken-1');
    expect(lines.map(({ msg, level, code }) => [msg, level, code])).toEqual([
      ['request failed', 'error', 'INTERNAL_ERROR'],
      ['request', 'error', 'INTERNAL_ERROR'],
    ]);
    expect(lines[0]?.['err']).toMatchObject({
      type: 'QueryFailedError',
      message: expect.stringContaining('name'),
      code: '42703',
      stack: expect.any(String),
    });
  });

  it('is the bare legacy text on an alias', async () => {
    const response = await editor.get('/corpora').expect(500);
    expect(response.body).toEqual({ detail: 'Internal Server Error' });
    expect(response.get('Deprecation')).toBe('true');
    expect(response.get('X-Request-Id')).toBeDefined();
  });

  // Parameters are names, questions and document texts: whoever reads the log would read them.
  it('is never written into the log with its parameters', async () => {
    await editor.post('/v1/corpora', { name: 'a-private-name' }).expect(500);
    expect(JSON.stringify(app.logs)).not.toContain('a-private-name');
  });
});

describe('a database that is away', () => {
  afterEach(async () => {
    if (!app.dataSource.isInitialized) await app.dataSource.initialize();
  });

  it('makes the instance unready, naming the part but not its address, and leaves it alive', async () => {
    await app.dataSource.destroy();
    const ready = await app.anonymous().get('/v1/readyz').expect(503);
    expect(ready.body).toMatchObject({ status: 'error', error: { database: { status: 'down' } } });
    expect(ready.text).not.toMatch(/127\.0\.0\.1|localhost|postgres:|at /);
    await app.anonymous().get('/v1/health').expect(200);
    await app.anonymous().get('/v1/healthz').expect(200);
    await app.dataSource.initialize();
    await app.anonymous().get('/v1/readyz').expect(200);
  });
});
