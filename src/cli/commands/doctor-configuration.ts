import { accessSync, constants, existsSync } from 'node:fs';
import type { Settings } from '../../kernel/settings.js';
import { cryptoSettings } from '../../platform/crypto/index.js';
import { DataFolder, dbSettings } from '../../platform/db/index.js';
import { modelSettings, resolveChatProvider, type ModelSettings } from '../../platform/model-gateway/index.js';
import { sharedStateSettings } from '../../platform/shared-state/index.js';
import type { Finding } from './finding.js';

const ok = (name: string, detail: string): Finding => ({ name, status: 'ok', detail, next: null });

/** What the settings say, without reaching out. */
export function checkConfiguration(settings: Settings, serving: boolean): Finding[] {
  const { url } = settings.get(dbSettings);
  const { redisUrl } = settings.get(sharedStateSettings);
  const models = settings.get(modelSettings);
  return [
    ok('node', process.version),
    ok('settings', `valid, ${settings.mode} mode`),
    ok('storage', url === undefined ? 'embedded database, one process' : 'Postgres at DATABASE_URL'),
    ok(
      'processes',
      redisUrl === undefined ? 'no REDIS_URL: one process, jobs included' : 'API and workers share Redis',
    ),
    ...(url === undefined ? [dataFolder(settings, serving)] : []),
    masterKey(settings),
    chatModel(models),
    embeddingModel(models),
  ];
}

function dataFolder(settings: Settings, serving: boolean): Finding {
  const folder = new DataFolder(settings.get(dbSettings).dataDir);
  const name = 'data folder';
  if (!existsSync(folder.databasePath)) {
    const next = 'The first start makes it: npm start';
    return { name, status: 'note', detail: `${folder.path} holds no database yet`, next };
  }
  try {
    accessSync(folder.path, constants.R_OK | constants.W_OK);
  } catch {
    return {
      name,
      status: 'fault',
      detail: `${folder.path} is not writable for this user`,
      next: 'Correct its owner, or set NEXUSRAG_DATA_DIR to another folder.',
    };
  }
  return ok(name, serving ? `${folder.path}, in use by the running server` : `${folder.path}, no server is running`);
}

function masterKey(settings: Settings): Finding {
  const name = 'master key';
  if (settings.get(cryptoSettings).masterKey !== undefined) return ok(name, 'KEYRING_MASTER_KEY');
  const { masterKeyPath } = new DataFolder(settings.get(dbSettings).dataDir);
  const next = 'Set KEYRING_MASTER_KEY where several machines share a database.';
  return { name, status: 'note', detail: `kept in ${masterKeyPath}, made when first needed`, next };
}

function chatModel(models: ModelSettings): Finding {
  const provider = resolveChatProvider(models);
  const name = 'language model';
  if (provider === 'extractive') {
    const next = 'Set OPENAI_API_KEY or OPENAI_BASE_URL, or the Vertex AI settings, for written answers.';
    return { name, status: 'note', detail: 'extractive: answers quote the documents', next };
  }
  return provided(name, provider, missingFor(provider, models, ['GEMINI_MODEL', models.geminiModel]));
}

function embeddingModel(models: ModelSettings): Finding {
  const name = 'embedding model';
  if (models.embeddingProvider === 'fake') {
    const next = 'Set EMBEDDING_PROVIDER to openai or vertex to search by meaning; then reindex.';
    return { name, status: 'note', detail: 'fake: compares words, not meaning', next };
  }
  return provided(name, models.embeddingProvider, missingFor(models.embeddingProvider, models));
}

function provided(name: string, provider: string, missing: readonly string[]): Finding {
  if (missing.length === 0) return ok(name, provider);
  return { name, status: 'fault', detail: `${provider} is not configured`, next: `Set ${missing.join(' and ')}.` };
}

/** Environment names that the provider needs and that are unset. */
function missingFor(
  provider: string,
  models: ModelSettings,
  ...also: readonly (readonly [env: string, value: string | undefined])[]
): string[] {
  if (provider === 'openai') {
    return models.openaiApiKey === undefined && models.openaiBaseUrl === undefined ? ['OPENAI_API_KEY'] : [];
  }
  if (provider !== 'vertex') return [];
  const needed = [
    ['GOOGLE_CLOUD_PROJECT', models.project],
    ['GOOGLE_CLOUD_LOCATION', models.location],
    ...also,
  ] as const;
  return needed.filter(([, value]) => value === undefined).map(([env]) => env);
}
