import { mean, trend, type Point } from '../statistics.js';
import type { Row } from '../result.js';
import type { Bench, Section } from '../rig/bench.js';
import { ONE_TENANT } from '../rig/corpus-database.js';
import type { Memory } from '../rig/server-process.js';
import { openSite, type Site } from '../rig/site.js';
import { askInParallel } from '../rig/streams.js';
import { answerTargets, hammer, readTargets } from '../rig/targets.js';
import { setTimeout as pause } from 'node:timers/promises';

const MB = 1024 * 1024;
/** V8 gives memory back some twenty seconds after the last work. */
const IDLE_MS = 60_000;
const SAMPLES = 36;
/** Caches fill at the beginning; what grows afterwards is no cache. */
const SETTLED_AFTER = SAMPLES / 3;
/** Growth that one cannot tell from none, as a share of what is in use, over the measured part of the soak. */
const TOLERATED_GROWTH = 0.01;

/** (f) Memory of the API process: idle, under load, and whether it grows. */
export const memory: Section = {
  id: 'memory',
  title: 'Memory of the API process',
  method:
    'Resident memory after a warm-up of reads and streamed answers, at once and after a minute without requests, ' +
    'and at its highest; against Express and pg after the same requests. Then a soak of reads over 16 connections and ' +
    '4 streaming clients: at even intervals a forced collection and a sample; a line is fitted to the last two thirds.',

  async run(bench) {
    const site = await openSite(bench, {
      layout: ONE_TENANT(bench.size(10_000, 1000)),
      tenantId: 'whole',
      questions: bench.size(64, 8),
      probed: true,
    });
    await warmUp(bench, site, 'baseline');
    await warmUp(bench, site, 'product');
    const busy = { product: site.api.residentMb(), baseline: site.baseline.residentMb() };
    await pause(bench.size(IDLE_MS, 500));
    const idle = { product: site.api.residentMb(), baseline: site.baseline.residentMb() };
    const [api, bare] = [await site.api.memory(), await site.baseline.memory()];
    const { samples, requests } = await soak(bench, site);
    const after = { product: site.api.peakMb(), baseline: site.baseline.peakMb() };
    const mb = { unit: 'MB', better: 'lower' } as const;
    const limit = { of: 'product', sign: '≤', limit: 150 } as const;
    return {
      rows: [
        { label: 'resident after the warm-up', ...mb, ...busy },
        { label: 'resident, idle for a minute', ...mb, ...idle, goal: limit },
        { label: 'heap after a collection, idle', ...mb, product: api.heapUsed / MB, baseline: bare.heapUsed / MB },
        { label: 'resident, highest (baseline: without the soak)', ...mb, ...after },
        ...growthRows(samples, 'heapUsed', 'heap', requests),
        ...growthRows(samples, 'rss', 'resident', requests),
      ],
      notes: [
        `A soak of ${bench.options.soakMinutes} minutes, ${requests.toLocaleString('en-US')} requests. Growth that is ` +
          `below twice the standard error of the fit, or below ${TOLERATED_GROWTH * 100} % of what is in use, counts as none.`,
      ],
    };
  },
};

async function warmUp(bench: Bench, site: Site, side: 'baseline' | 'product'): Promise<void> {
  await hammer(readTargets(site)[side], bench.size(5, 1));
  const question = (at: number): string => site.questions[at % site.questions.length] ?? '';
  await askInParallel(answerTargets(site)[side], { clients: 8, answers: bench.size(200, 16), question });
}

interface Sample extends Memory {
  readonly minute: number;
}

async function soak(bench: Bench, site: Site): Promise<{ samples: Sample[]; requests: number }> {
  const milliseconds = bench.options.soakMinutes * 60_000;
  const started = performance.now();
  const reads = hammer(readTargets(site).product, milliseconds / 1000);
  let answers = 0;
  const over = (): boolean => performance.now() - started > milliseconds;
  const asking = (async () => {
    while (!over()) {
      const question = (at: number): string => site.questions[at % site.questions.length] ?? '';
      answers += (await askInParallel(answerTargets(site).product, { clients: 4, answers: 20, question })).length;
    }
  })();
  const samples: Sample[] = [];
  while (samples.length < SAMPLES) {
    await pause(milliseconds / SAMPLES);
    samples.push({ ...(await site.api.memory()), minute: (performance.now() - started) / 60_000 });
  }
  const { perSecond } = await reads;
  await asking;
  return { samples, requests: Math.round((perSecond * milliseconds) / 1000) + answers };
}

/** Growth that cannot be told from none is 0 in the row with the goal. */
function growthRows(samples: readonly Sample[], figure: keyof Memory, name: string, requests: number): Row[] {
  const points: Point[] = samples.slice(SETTLED_AFTER).map((sample) => ({ x: sample.minute, y: sample[figure] / MB }));
  const { slope, error } = trend(points);
  const minutes = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0);
  const tolerated = (TOLERATED_GROWTH * mean(points.map(({ y }) => y))) / minutes;
  const real = slope > 2 * error && slope > tolerated ? slope : 0;
  const perRequest = (slope * (samples.at(-1)?.minute ?? 0) * MB) / requests;
  return [
    {
      label: `${name}, growth that is no noise`,
      unit: 'MB/min',
      better: 'lower',
      product: real,
      goal: { of: 'product', sign: '≤', limit: 0 },
    },
    { label: `${name}, fitted growth`, unit: 'MB/min', better: 'lower', product: slope },
    { label: `${name}, fitted growth for a request`, unit: 'bytes', better: 'lower', product: perRequest },
  ];
}
