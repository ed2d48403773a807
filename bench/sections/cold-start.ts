import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../statistics.js';
import type { Bench, Section } from '../rig/bench.js';
import { corpusDatabase, ONE_TENANT } from '../rig/corpus-database.js';
import { CORPUS } from '../rig/corpus-loader.js';
import { Inside } from '../rig/inside.js';
import { productEnvironment, startApi } from '../rig/product.js';
import type { ServerProcess } from '../rig/server-process.js';
import { startBare } from '../rig/site.js';

/** Seconds from the start of the process. */
interface Start {
  readonly request: number;
  readonly question: number;
}

/** (g) How long somebody waits after the start command. */
export const coldStart: Section = {
  id: 'cold-start',
  title: 'Cold start',
  method:
    'From starting the process to the first answered request and the first answered question. Embedded: an empty data ' +
    'folder, so that the database, the migrations and the demo corpus are made on the way. Services: a migrated ' +
    'database. Against Express and pg, started and asked for one request.',

  async run(bench) {
    const databaseUrl = await corpusDatabase(bench, ONE_TENANT(bench.size(10_000, 1000)));
    const env = productEnvironment(bench, databaseUrl);
    const inside = await Inside.open(env);
    const token = await inside.key('whole');
    await inside.close();
    const starts = { bare: [] as number[], embedded: [] as Start[], services: [] as Start[] };
    for (let round = 0; round < bench.rounds; round += 1) {
      starts.bare.push(await bareStart(bench, databaseUrl));
      starts.embedded.push(await embeddedStart(bench));
      starts.services.push(await servicesStart(bench, { ...env, FAKE_LLM_DELAY_MS: '0' }, token));
    }
    const baseline = median(starts.bare);
    const row = (mode: 'embedded' | 'services', figure: keyof Start, limit: number) =>
      ({
        label: `${mode}, first ${figure}`,
        unit: 's',
        better: 'lower',
        product: median(starts[mode].map((start) => start[figure])),
        baseline,
        compare: 'difference',
        goal: { of: 'product', sign: '≤', limit },
      }) as const;
    return {
      rows: [
        row('embedded', 'request', 10),
        row('embedded', 'question', 10),
        row('services', 'request', 4),
        row('services', 'question', 4),
      ],
      notes: [`Medians of ${bench.rounds} starts. The build and its dependencies are in the file cache.`],
    };
  },
};

async function bareStart(bench: Bench, databaseUrl: string): Promise<number> {
  const started = performance.now();
  const serves = { databaseUrl, tenantId: '', documentSql: 'SELECT $1::text AS tenant, $2::text AS id' };
  const bare = startBare(bench, serves);
  await (await fetch(`${await bare.url()}/documents/any`)).text();
  const seconds = (performance.now() - started) / 1000;
  await bare.stop();
  return seconds;
}

async function embeddedStart(bench: Bench): Promise<Start> {
  const folder = mkdtempSync(join(bench.folder, 'embedded-'));
  const started = performance.now();
  const api = startApi(bench, { PORT: '0', NEXUSRAG_DATA_DIR: folder });
  const key = (): string => readFileSync(join(folder, 'demo-admin-key'), 'utf8').trim();
  return timedStart(api, started, key, { corpus_id: 'c1', message: 'What are the release gates for Agent 2.0?' });
}

async function servicesStart(bench: Bench, env: Readonly<Record<string, string>>, token: string): Promise<Start> {
  const started = performance.now();
  const question = { corpus_id: CORPUS, message: 'Which passage is it?' };
  return timedStart(startApi(bench, env), started, () => token, question);
}

async function timedStart(api: ServerProcess, started: number, key: () => string, question: object): Promise<Start> {
  const since = (): number => (performance.now() - started) / 1000;
  const url = await api.url();
  await (await fetch(`${url}/v1/health`)).text();
  const request = since();
  const response = await fetch(`${url}/v1/run`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key()}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ session_id: `start-${started}`, stream: false, ...question }),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`The first question was answered ${response.status}: ${answer}`);
  const times = { request, question: since() };
  await api.stop();
  return times;
}
