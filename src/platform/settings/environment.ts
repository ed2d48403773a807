import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { loadEnvFile } from 'node:process';
import { loadSettings, type Settings, type SettingsGroup } from '../../kernel/settings.js';

/** Names that start like this are ours: one that we do not know is a typing mistake, not somebody else's. */
const OUR_PREFIXES = [
  'API_DB_',
  'API_KEY_',
  'AUDIT_',
  'AUTH_',
  'AUTHZ_',
  'BILLING_',
  'BYOK_',
  'CB_',
  'DOCUMENT_STORAGE_',
  'EXT_',
  'FAKE_LLM_',
  'HTTP_MAX_',
  'IDEMPOTENCY_',
  'INGEST_',
  'JOBS_',
  'KEYRING_',
  'LEGACY_',
  'LLM_',
  'EMBEDDING_',
  'ENTITLEMENT_',
  'NEXUSRAG_',
  'PARSER_',
  'PLAN_',
  'PLATFORM_OPERATOR_',
  'PREAUTH_',
  'RATE_LIMIT_',
  'RECEIPT_',
  'RECEIPTS_',
  'RERANKER_',
  'RESIDENCY_',
  'RETRIEVAL_',
  'RL_',
  'RUN_',
  'SELF_SERVE_',
  'SSE_',
  'STATEWAVE_',
  'TENANT_ADMIN_',
  'USAGE_',
  'VECTOR_DB_',
  'WEBHOOK_',
  'WORKER_',
];

/**
 * LangChain reads these by itself, whoever set them and for whatever program: with them it uploads every question,
 * passage and answer to a tracing service, or prints them.
 */
const LIBRARY_TRACING = /^(LANGSMITH|LANGCHAIN)_/;

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
  for (const name of Object.keys(process.env))
    if (LIBRARY_TRACING.test(name)) Reflect.deleteProperty(process.env, name);
  return loadSettings({ ...process.env, ...overrides }, groups, OUR_PREFIXES);
}

/** Settings of a client. It may run beside a server: what is not in its groups is none of its business. @throws SettingsError */
export function clientSettings(groups: readonly SettingsGroup[]): Settings {
  return loadSettings(process.env, groups);
}

/** Where programs keep their configuration files, as XDG says. */
export function configFolder(): string {
  const named = process.env['XDG_CONFIG_HOME'] ?? '';
  return named === '' ? join(homedir(), '.config') : named;
}
