import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { SETTINGS } from '../../src/app/catalogue.js';
import { loadSettings, SettingsError } from '../../src/kernel/settings.js';
import { settingsFromEnvironment } from '../../src/platform/settings/index.js';
import { declarations, mentioning, read } from './sources.js';

const fields = SETTINGS.flatMap((group) => Object.values(group.fields));
const names = fields.map(({ env }) => env).sort();

function faultsOf(env: Record<string, string>, load = () => loadSettings(env, SETTINGS)): readonly string[] {
  try {
    load();
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
}

describe('the settings', () => {
  it('have one owner each', () => {
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(SETTINGS.map(({ name }) => name)).size).toBe(SETTINGS.length);
  });

  it('are all collected', () => {
    const declared = declarations().flatMap(({ text }) =>
      [...text.matchAll(/= defineSettings\(\s*'([\w-]+)'/g)].map(([, name]) => name),
    );
    expect(declared.sort()).toEqual(SETTINGS.map(({ name }) => name).sort());
  });

  it('are exactly those of docs/generated/settings.md', () => {
    const rows = [...read('docs/generated/settings.md').matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(names);
  });

  it('are exactly those of .env.example, at their defaults', () => {
    const lines = [...read('.env.example').matchAll(/^#([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name, value]) => [
      name,
      value,
    ]);
    const defaults = fields.map(({ env, defaultText }) => [env, defaultText ?? '']);
    expect(lines.sort()).toEqual([['NODE_ENV', 'development'], ...defaults].sort());
  });

  it('load from nothing', () => {
    expect(faultsOf({})).toEqual([]);
  });

  it('load from their own defaults, written out', () => {
    const written = fields.flatMap(({ env, defaultText }) =>
      defaultText === undefined ? [] : [[env, defaultText] as const],
    );
    const loaded = loadSettings(Object.fromEntries(written), SETTINGS);
    const fallback = loadSettings({}, SETTINGS);
    for (const group of SETTINGS) expect(loaded.get(group)).toEqual(fallback.get(group));
  });

  // An operator who learns of one missing variable at a time restarts the process once for each.
  it('report everything that production lacks at once', () => {
    const faults = faultsOf({ NODE_ENV: 'production', AUTH_DEV_BYPASS: 'true', PORT: 'x' });
    const demanded = ['DATABASE_URL', 'REDIS_URL', 'KEYRING_MASTER_KEY', 'AUTH_DEV_BYPASS', 'PORT'];
    expect(demanded.filter((name) => !faults.some((fault) => fault.startsWith(`${name} `)))).toEqual([]);
    expect(faults).toHaveLength(demanded.length);
    const unset = faultsOf({ NODE_ENV: 'production' }).map((fault) => fault.split(' ')[0]);
    expect(unset.sort()).toEqual(['DATABASE_URL', 'KEYRING_MASTER_KEY', 'REDIS_URL']);
  });

  it('say in a fault which variable is wrong, never what it holds', () => {
    for (const { env, type } of fields) {
      if (['text', 'list', 'secret'].includes(type)) continue;
      const faults = faultsOf({ [env]: 'hunter2' });
      expect([env, faults.map((fault) => fault.startsWith(`${env} must`))]).toEqual([env, [true]]);
      expect(faults.join()).not.toContain('hunter2');
    }
  });

  it('come from one place', () => {
    expect(mentioning(/process\.env|\bloadEnvFile\b|from 'node:process'/)).toEqual([
      'src/platform/settings/environment.ts',
    ]);
  });
});

describe('the environment', () => {
  // The guides tell everybody to export these two: the server and its commands start beside them all the same.
  it('may hold the keys of a shell, but no misspelt setting', () => {
    const given = { API_KEY: 'nrgk_x', ADMIN_API_KEY: 'nrgk_x' };
    const misspelt = { API_DB_POOL: '1', API_KEY_UNREVOKE: '1', SELF_SERVE_MAX_KEYS: '1' };
    const env = { ...given, ...misspelt };
    const faults = faultsOf(env, () => settingsFromEnvironment(SETTINGS, env));
    const refused = (name: string): boolean => faults.some((fault) => fault.startsWith(`${name} is not a setting`));
    expect(Object.keys(env).filter(refused)).toEqual(Object.keys(misspelt));
  });
});

describe('secrets', () => {
  const secrets = fields.filter((field) => field.secret === true);
  const values: Record<string, string> = {
    secret: 'hunter2',
    URL: 'SCHEME://user:hunter2@host/1',
  };
  const schemes: Record<string, string> = {
    DATABASE_URL: 'postgres',
    DATABASE_MIGRATION_URL: 'postgres',
    REDIS_URL: 'redis',
  };
  /** 32 bytes as base64. */
  const key = `${'hunter2'.repeat(6)}A=`;
  /** What takes no password: a path that may be known to nobody else, and keys. */
  const own: Record<string, string> = {
    BILLING_WEBHOOK_URL: 'https://host/hunter2',
    STATEWAVE_RECEIPT_SIGNING_KEYS: JSON.stringify({ k: key }),
    RECEIPT_ED25519_KEYS: JSON.stringify({ k: key }),
    RESIDENCY_PRIVATE_KEY: key,
  };
  const printed = (env: string, type: string): string => {
    const value = own[env] ?? (values[type] ?? '').replace('SCHEME', schemes[env] ?? '');
    const loaded = loadSettings({ [env]: value }, SETTINGS);
    const groups = SETTINGS.map((group) => loaded.get(group));
    return [loaded, groups].map((each) => `${JSON.stringify(each)} ${inspect(each, { depth: 9 })}`).join();
  };

  it('are marked as such', () => {
    const suspicious = /(KEY|SECRET|TOKEN|PASSWORD|_URL|DSN)$/;
    const open = fields.filter(({ env, secret }) => suspicious.test(env) && secret !== true).map(({ env }) => env);
    expect(open).toEqual(['VERTEX_BASE_URL', 'OPENAI_BASE_URL', 'RERANKER_URL', 'MCP_HOST_URL']);
    expect(secrets.map(({ env }) => env)).toEqual(
      expect.arrayContaining(['DATABASE_URL', 'REDIS_URL', 'OPENAI_API_KEY']),
    );
  });

  const kinds = secrets.map(({ env, type }) => ({ env, type }));

  // A settings object that lands in a log line or an error report would hand out the keys of the installation.
  it.each(kinds.filter(({ type }) => type === 'secret'))(
    'are not printed with the loaded settings: $env',
    ({ env, type }) => {
      expect(printed(env, type)).not.toContain('hunter2');
    },
  );

  // Known fault: a URL is kept as plain text for its driver, password included. Make it `it` when that has ended.
  it.each(kinds.filter(({ type }) => type === 'URL'))(
    'are not printed with the loaded settings: $env',
    ({ env, type }) => {
      expect(printed(env, type)).not.toContain('hunter2');
    },
  );
});
