import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';
import { errorForLog } from './error-for-log.js';

describe('errorForLog', () => {
  // A failed INSERT carries what somebody wrote; the log is read by people who must not see it.
  it('keeps the SQLSTATE and constraint of a failed statement, and none of its values', () => {
    const driver = Object.assign(new Error('Key (name)=(my secret plan) exists'), {
      code: '23505',
      constraint: 'uq_corpora_name',
      detail: 'my secret plan',
    });
    const failure = new QueryFailedError('INSERT INTO messages VALUES ($1)', ['my secret plan'], driver);
    const logged = errorForLog(new Error('saving failed', { cause: failure }));
    expect(JSON.stringify(logged)).not.toContain('secret plan');
    expect(logged.cause).toMatchObject({ type: 'QueryFailedError', code: '23505', constraint: 'uq_corpora_name' });
    expect(JSON.stringify(errorForLog(driver))).not.toContain('secret plan');
  });

  it('keeps what a database says about its schema', () => {
    const driver = Object.assign(new Error('column "label" does not exist'), { code: '42703' });
    expect(errorForLog(new QueryFailedError('SELECT label', [], driver)).message).toContain('"label"');
  });

  it('tells kind, text, code and place of other errors', () => {
    const logged = errorForLog(Object.assign(new TypeError('no such thing'), { code: 'ENOENT' }));
    expect(logged).toMatchObject({ type: 'TypeError', message: 'no such thing', code: 'ENOENT' });
    expect(logged.stack).toContain('error-for-log.spec');
  });

  it('ends with a chain that refers to itself', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(JSON.stringify(errorForLog(loop)).length).toBeLessThan(20_000);
  });

  it.each(['text', 5, null, undefined])('takes %p, which somebody threw', (thrown) => {
    expect(errorForLog(thrown).message).toBe(String(thrown));
  });
});
