import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { Command } from 'commander';
import { AppModule } from './app/app.module.js';
import { ensureSchema } from './app/bootstrap.js';
import { SETTINGS } from './app/catalogue.js';
import { readDataset } from './app/eval/dataset.js';
import { evaluate } from './app/eval/evaluate.js';
import { evaluationTable } from './app/eval/report.js';
import { openInfrastructure } from './app/infrastructure.js';
import { renderView } from './cli/view.js';
import { settingsFromEnvironment } from './platform/settings/index.js';

/** Measures retrieval over a collection, in an embedded database of its own that is removed afterwards. */
const program = new Command('eval')
  .description('Measure retrieval over a collection of documents, queries and judgements.')
  .requiredOption('--dataset <directory>', 'directory with corpus.jsonl, queries.jsonl and qrels.tsv')
  .option('--retrieval <json>', 'retrieval settings to try, such as {"weights":{"bm25":0.5,"vector":0.5}}', '{}')
  .option('--feedback', 'also measure pseudo-relevance feedback')
  .option('--json', 'print one JSON object')
  .parse();

const options = program.opts<{ dataset: string; retrieval: string; feedback?: true; json?: true }>();
const folder = mkdtempSync(join(tmpdir(), 'nexusrag-eval-'));
const overrides = { NEXUSRAG_DATA_DIR: folder, DATABASE_URL: '', DATABASE_MIGRATION_URL: '', REDIS_URL: '' };
const settings = settingsFromEnvironment(SETTINGS, { ...overrides, DOCUMENT_STORAGE_DIR: '', LOG_LEVEL: 'ERROR' });
try {
  const dataset = await readDataset(options.dataset);
  const infrastructure = await openInfrastructure(settings);
  await ensureSchema(infrastructure);
  const app = await NestFactory.createApplicationContext(AppModule.of(infrastructure), { logger: false });
  const report = await evaluate(app, dataset, {
    retrieval: JSON.parse(options.retrieval) as Record<string, unknown>,
    feedback: options.feedback === true || options.json !== true,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const view = { kind: 'table', empty: '', ...evaluationTable(report) } as const;
  process.stdout.write(`${options.json === true ? JSON.stringify(report) : renderView(view)}\n`);
  await app.close();
  await infrastructure.close();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
