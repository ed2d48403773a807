import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SETTINGS } from '../../app/catalogue.js';
import { plansErrors } from '../../features/plans/index.js';
import { retrievalErrors } from '../../features/retrieval/index.js';
import { commonErrors } from '../../kernel/common-errors.js';
import { loadSettings } from '../../kernel/settings.js';
import { modelErrors } from '../../platform/model-gateway/index.js';
import { checkConfiguration } from './doctor-configuration.js';
import { smokeFailure } from './provider-smoke.js';

describe('provider smoke', () => {
  // Deployment scripts branch on these numbers.
  it.each([
    [commonErrors.NOT_FOUND(), 'RETRIEVAL_CONFIG_INVALID', 2],
    [retrievalErrors.RETRIEVAL_CONFIG_INVALID(), 'RETRIEVAL_CONFIG_INVALID', 2],
    [modelErrors.EMBEDDING_CONFIG_MISSING(), 'EMBEDDING_CONFIG_MISSING', 2],
    [plansErrors.FEATURE_NOT_ENABLED(), 'FEATURE_NOT_ENABLED', 2],
    [modelErrors.VERTEX_AUTH_ERROR(), 'VERTEX_AUTH_ERROR', 3],
    [retrievalErrors.RETRIEVAL_ERROR(), 'RETRIEVAL_ERROR', 4],
    [modelErrors.EMBEDDING_ERROR(), 'EMBEDDING_ERROR', 4],
    [new Error('odd'), 'INTERNAL_ERROR', 1],
  ])('ends %s as %s with exit code %i', (error, code, exitCode) => {
    expect(smokeFailure(error, 'c1')).toMatchObject({ code, exitCode });
  });
});

describe('what the doctor reads in the settings', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'nexusrag-test-'));
    mkdirSync(join(root, 'db'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const findings = (env: Record<string, string>) =>
    Object.fromEntries(
      checkConfiguration(loadSettings({ NEXUSRAG_DATA_DIR: root, ...env }, SETTINGS), false).map((finding) => [
        finding.name,
        finding,
      ]),
    );

  it('finds no fault in an installation without any setting', () => {
    expect(Object.values(findings({})).filter(({ status }) => status === 'fault')).toEqual([]);
  });

  it('names what a chosen provider lacks', () => {
    expect(findings({ LLM_PROVIDER: 'vertex', GOOGLE_CLOUD_PROJECT: 'p' })['language model']).toMatchObject({
      status: 'fault',
      next: 'Set GOOGLE_CLOUD_LOCATION and GEMINI_MODEL.',
    });
    expect(findings({ EMBEDDING_PROVIDER: 'openai' })['embedding model']).toMatchObject({
      status: 'fault',
      next: 'Set OPENAI_API_KEY.',
    });
    expect(findings({ LLM_PROVIDER: 'openai', OPENAI_API_KEY: 'k' })['language model']?.status).toBe('ok');
  });

  it('does not call a database that was never made a fault', () => {
    const { 'data folder': folder } = findings({ NEXUSRAG_DATA_DIR: join(root, 'none') });
    expect(folder).toMatchObject({ status: 'note', next: expect.stringContaining('npm start') });
  });

  it('says where the master key is', () => {
    expect(findings({})['master key']).toMatchObject({ status: 'note', detail: expect.stringContaining(root) });
    expect(findings({ KEYRING_MASTER_KEY: 'k' })['master key']?.status).toBe('ok');
  });

  it('prints no secret', () => {
    const secrets = {
      DATABASE_URL: 'postgres://u:hunter2@h/d',
      OPENAI_API_KEY: 'hunter2',
      KEYRING_MASTER_KEY: 'hunter2',
    };
    const all = JSON.stringify(findings(secrets));
    expect(all).not.toContain('hunter2');
  });
});
