import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { loadSettings, type Settings, type SettingsGroup } from '../../kernel/settings.js';

/** Names that start like this are ours: one that we do not know is a typing mistake, not somebody else's. */
const OUR_PREFIXES = [
  'API_',
  'AUTH_',
  'AUTHZ_',
  'CB_',
  'DOCUMENT_STORAGE_',
  'EXT_',
  'FAKE_LLM_',
  'HTTP_MAX_',
  'INGEST_',
  'JOBS_',
  'LEGACY_',
  'LLM_',
  'EMBEDDING_',
  'NEXUSRAG_',
  'RETRIEVAL_',
  'RUN_',
  'SSE_',
  'WORKER_',
];

/**
 * The settings of this process: the environment, over an optional `.env` file in the working directory.
 *
 * @throws SettingsError naming every fault.
 */
export function settingsFromEnvironment(
  groups: readonly SettingsGroup[],
  overrides: Readonly<Record<string, string>> = {},
): Settings {
  if (existsSync('.env')) loadEnvFile('.env');
  return loadSettings({ ...process.env, ...overrides }, groups, OUR_PREFIXES);
}
