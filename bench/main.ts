import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { format } from 'prettier';
import { toSvg } from './chart.js';
import { readOptions, USAGE, type Options } from './options.js';
import { toMarkdown } from './report.js';
import { isMet, type Report, type SectionResult } from './result.js';
import { Bench, type Section } from './rig/bench.js';
import { commitOf, machineFacts } from './rig/machine.js';
import { services } from './rig/services.js';

const DOCUMENT = 'docs/reference/performance.md';
const CHART = 'docs/reference/performance.svg';
const MEASURED = /(?<=<!-- measured by npm run bench -->\n)[\s\S]*(?=<!-- end of what was measured -->)/;

/** Runs the sections, one after the other, and writes what they found. */
async function main(): Promise<void> {
  const rig = services();
  // Parts of the test harness that sections use look here.
  Object.assign(process.env, { TEST_DATABASE_URL: rig.databaseUrl, TEST_REDIS_URL: rig.redisUrl });
  const { SECTIONS } = await import('./sections/index.js');
  const options = readOptions(
    process.argv.slice(2),
    SECTIONS.map(({ id }) => id),
  );
  const chosen = SECTIONS.filter(({ id }) => options.only.length === 0 || options.only.includes(id));
  const results: SectionResult[] = [];
  for (const section of chosen) results.push(await measured(section, new Bench(rig, options)));
  await publish(options, {
    measuredAt: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: commitOf(),
    quick: options.quick,
    machine: await machineFacts(rig),
    sections: results,
  });
}

async function measured(section: Section, bench: Bench): Promise<SectionResult> {
  const { id, title, method } = section;
  bench.say(`${title} …`);
  const started = performance.now();
  const interrupted = (): void => void bench.close().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const found = await section.run(bench);
    const seconds = (performance.now() - started) / 1000;
    bench.say(`${title}: ${Math.round(seconds)} s`);
    return { id, title, method, seconds, ...found, ...comparison(found, bench.options.against) };
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await bench.close();
  }
}

/** The goals are for the usual baselines. */
function comparison({ rows, notes }: Found, against?: string): Partial<Found> {
  if (against === undefined) return {};
  const note = `Where that baseline is Express and pg, or the same program, it is the version in ${against} here.`;
  return { rows: rows.map((row) => ({ ...row, goal: undefined })), notes: [...notes, note] };
}

type Found = Awaited<ReturnType<Section['run']>>;

/** A quick or partial run leaves the documentation alone, unless it is told otherwise. */
async function publish(options: Options, report: Report): Promise<void> {
  const markdown = toMarkdown(report);
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, await pretty(JSON.stringify(report), 'json'));
  process.stdout.write(`${markdown}\n`);
  if (options.publish) {
    const document = readFileSync(DOCUMENT, 'utf8').replace(MEASURED, () => `\n${markdown}\n\n`);
    writeFileSync(DOCUMENT, await pretty(document, 'markdown'));
    writeFileSync(CHART, toSvg(report));
  }
  const rows = report.sections.flatMap((section) => section.rows);
  const unmeasured = rows.filter(({ product }) => !Number.isFinite(product));
  const missed = rows.filter((row) => isMet(row) === false);
  process.stderr.write(`${rows.length} figures, ${missed.length} missed goals; ${options.out}\n`);
  if (unmeasured.length > 0) throw new Error(`Not measured: ${unmeasured.map(({ label }) => label).join(', ')}`);
}

function pretty(text: string, parser: 'json' | 'markdown'): Promise<string> {
  return format(text, { parser, printWidth: 120 });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n\n${USAGE}\n`);
  process.exitCode = 1;
}
