import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import type { Bench } from './bench.js';
import { CORPUS, loadCorpora, type Layout } from './corpus-loader.js';
import { Inside } from './inside.js';
import { migrate, productEnvironment } from './product.js';
import { connected, databaseUrl } from './services.js';

/** One tenant that has every passage. */
export const ONE_TENANT = (passages: number): Layout => ({ whole: passages });

/** A tenth and a hundredth of the passages belong to a tenant each, the rest to a third. */
export const THREE_TENANTS = (passages: number): Layout => ({
  hundredth: passages / 100,
  tenth: passages / 10,
  rest: passages - passages / 10 - passages / 100,
});

/**
 * A database of its own with this content. Loading takes minutes, so the loaded database is kept as a template until
 * something changes that decides what it looks like.
 *
 * @returns its URL. It is dropped when the bench closes.
 */
export async function corpusDatabase(bench: Bench, layout: Layout): Promise<string> {
  const template = await ensureTemplate(bench, layout);
  return privateDatabase(bench, template);
}

/** @param template absent for an empty database. */
export async function privateDatabase(bench: Bench, template?: string): Promise<string> {
  const name = `nexusrag_benchrun_${process.pid}_${(databases += 1)}`;
  const from = template === undefined ? '' : ` TEMPLATE ${pg.escapeIdentifier(template)} STRATEGY FILE_COPY`;
  const server = bench.services.databaseUrl;
  await connected(server, (admin) => admin.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}${from}`));
  bench.onClose(async () => {
    await connected(server, (admin) => admin.query(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`));
  });
  return databaseUrl(server, name);
}

let databases = 0;

async function ensureTemplate(bench: Bench, layout: Layout): Promise<string> {
  const server = bench.services.databaseUrl;
  const shape = Object.values(layout).join('_');
  const name = `nexusrag_bench_${shape}_${contentVersion()}`;
  const known = await connected(server, (admin) =>
    admin.query<{ datname: string }>(`SELECT datname FROM pg_database WHERE datname ~ $1`, [
      `^nexusrag_bench_${shape}_[0-9a-f]{8}$`,
    ]),
  );
  const names = known.rows.map(({ datname }) => datname);
  if (names.includes(name)) return name;
  const building = `${name}_building`;
  await connected(server, async (admin) => {
    for (const old of [...names, building]) await admin.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(old)}`);
    await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(building)}`);
  });
  await build(bench, databaseUrl(server, building), layout);
  await connected(server, (admin) =>
    admin.query(`ALTER DATABASE ${pg.escapeIdentifier(building)} RENAME TO ${pg.escapeIdentifier(name)}`),
  );
  return name;
}

async function build(bench: Bench, url: string, layout: Layout): Promise<void> {
  bench.say(`loading a database of ${Object.values(layout).join(' + ')} passages`);
  const env = productEnvironment(bench, url);
  await migrate(env);
  const inside = await Inside.open(env);
  for (const tenantId of Object.keys(layout)) {
    await inside.call(await inside.key(tenantId), '/v1/corpora', { id: CORPUS, name: 'Library' });
  }
  await loadCorpora(inside, url, layout);
  await inside.close();
}

/** What decides what a loaded database looks like. */
const CONTENT = [
  'migrations',
  'src/features/retrieval/domain',
  'src/features/retrieval/persistence',
  'src/platform/text-analysis',
  'bench/rig/corpus-loader.ts',
  'bench/rig/text.ts',
];

function contentVersion(): string {
  const root = new URL('../../', import.meta.url);
  const files = CONTENT.flatMap((path) =>
    path.endsWith('.ts') ? [path] : readdirSync(new URL(path, root)).map((file) => `${path}/${file}`),
  );
  const hash = createHash('sha256');
  for (const file of files.filter((name) => !name.includes('.spec.')).sort())
    hash.update(readFileSync(new URL(file, root)));
  return hash.digest('hex').slice(0, 8);
}
