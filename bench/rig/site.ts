import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.js';
import { corpusDatabase } from './corpus-database.js';
import { CORPUS, type Layout } from './corpus-loader.js';
import { Inside } from './inside.js';
import { searchPlan, type SearchPlan } from './plans.js';
import { productEnvironment, startApi, TOKEN_MS, TOKENS } from './product.js';
import { ServerProcess } from './server-process.js';
import { connected } from './services.js';
import { SyntheticText } from './text.js';

/** The product and its baseline, running side by side on one database. */
export interface Site {
  readonly env: Readonly<Record<string, string>>;
  readonly tenantId: string;
  readonly token: string;
  readonly api: ServerProcess;
  readonly apiUrl: string;
  readonly baseline: ServerProcess;
  readonly baselineUrl: string;
  /** Whether the baseline is another version of the product, with the same requests. */
  readonly isVersion: boolean;
  readonly questions: readonly string[];
  readonly documentId: string;
}

export interface SiteOptions {
  readonly layout: Layout;
  /** Whose key is used, and whose passages are searched. */
  readonly tenantId: string;
  readonly questions: number;
  readonly probed?: boolean;
  /** Runs with the application in this process, before the servers start. */
  readonly inspect?: (inside: Inside, databaseUrl: string, questions: readonly string[]) => Promise<void>;
}

export async function openSite(bench: Bench, options: SiteOptions): Promise<Site> {
  const { tenantId, probed = false } = options;
  const databaseUrl = await corpusDatabase(bench, options.layout);
  const env = productEnvironment(bench, databaseUrl);
  const text = new SyntheticText(3);
  const questions = Array.from({ length: options.questions }, () => text.question());
  const documentId = await anyDocument(databaseUrl, tenantId);

  const inside = await Inside.open(env);
  const token = await inside.key(tenantId);
  const [read] = (await inside.statementsOf(token, `/v1/documents/${documentId}`)).slice(-1);
  const served = {
    databaseUrl,
    connectionOptions: await inside.connectionOptions(tenantId),
    document: read && { text: read.what, values: read.parameters },
    plans: await plansOf(inside, token, questions),
    tokens: TOKENS,
    tokenMs: TOKEN_MS,
  };
  await options.inspect?.(inside, databaseUrl, questions);
  await inside.close();

  const { against } = bench.options;
  const isVersion = against !== undefined;
  const api = startApi(bench, env, { probed });
  const baseline = isVersion ? startApi(bench, env, { probed, checkout: against }) : startBare(bench, served, probed);
  const [apiUrl, baselineUrl] = await Promise.all([api.url(), baseline.url()]);
  return { env, tenantId, token, api, apiUrl, baseline, baselineUrl, isVersion, questions, documentId };
}

/** @param serves see bare/server.mjs. */
export function startBare(bench: Bench, serves: object, probed = false): ServerProcess {
  const file = join(bench.folder, `bare-${(baselines += 1)}.json`);
  writeFileSync(file, JSON.stringify(serves));
  const script = new URL('../bare/server.mjs', import.meta.url).pathname;
  const bare = ServerProcess.start([script, file], { env: { NODE_ENV: 'production' }, folder: bench.folder, probed });
  bench.onClose(() => bare.stop());
  return bare;
}

let baselines = 0;

/** As the statements are when the questions come for the second time: the product remembers how frequent words are. */
async function plansOf(
  inside: Inside,
  token: string,
  questions: readonly string[],
): Promise<Record<string, SearchPlan>> {
  const plans: Record<string, SearchPlan> = {};
  for (const question of [...questions, ...questions]) {
    plans[question] = searchPlan(await inside.statementsOf(token, searchPath(question)));
  }
  return plans;
}

export function searchPath(question: string): string {
  return `/v1/corpora/${CORPUS}/search?${new URLSearchParams({ q: question, top_k: '10' }).toString()}`;
}

async function anyDocument(databaseUrl: string, tenantId: string): Promise<string> {
  const { rows } = await connected(databaseUrl, async (client) => {
    await client.query('SET ROLE nexusrag_system');
    return client.query<{ id: string }>('SELECT id FROM documents WHERE tenant_id = $1 LIMIT 1', [tenantId]);
  });
  return rows[0]?.id ?? '';
}
