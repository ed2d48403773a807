import { median } from '../statistics.js';
import type { Section } from '../rig/bench.js';
import { ONE_TENANT } from '../rig/corpus-database.js';
import { interleaved } from '../rig/rounds.js';
import { openSite } from '../rig/site.js';
import { hammer, readTargets, type Throughput } from '../rig/targets.js';

/** (a) What authentication, validation, tenancy, envelope and log cost on the cheapest route. */
export const documentReads: Section = {
  id: 'reads',
  title: 'Reading a document',
  method:
    '`GET /v1/documents/{id}` over 16 connections at one API process in production mode with a real key, against ' +
    'Express and pg that send the same SELECT as a prepared statement and answer its row as JSON.',

  async run(bench) {
    const site = await openSite(bench, {
      layout: ONE_TENANT(bench.size(10_000, 1000)),
      tenantId: 'whole',
      questions: 0,
    });
    const { baseline, product } = readTargets(site);
    const seconds = bench.size(6, 1);
    await hammer(baseline, bench.size(3, 1));
    await hammer(product, bench.size(5, 1));
    const rounds = await interleaved(
      bench.size(5, 1),
      () => hammer(baseline, seconds),
      () => hammer(product, seconds),
    );
    const both = (figure: keyof Throughput): { product: number; baseline: number } => ({
      product: median(rounds.product.map((round) => round[figure])),
      baseline: median(rounds.baseline.map((round) => round[figure])),
    });
    return {
      rows: [
        {
          label: 'throughput',
          unit: 'requests/s',
          better: 'higher',
          ...both('perSecond'),
          goal: { of: 'ratio', sign: '≥', limit: 0.4 },
        },
        { label: 'processor time of the server for a request', unit: 'ms', better: 'lower', ...both('cpu') },
        { label: 'latency, p50', unit: 'ms', better: 'lower', ...both('p50') },
        { label: 'latency, p99', unit: 'ms', better: 'lower', ...both('p99') },
      ],
      notes: [`Medians of ${rounds.product.length} rounds of ${seconds} s each. 0.5 is aimed at.`],
    };
  },
};
