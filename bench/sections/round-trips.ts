import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Section } from '../rig/bench.js';

/** (e) Waits for the network, which do not depend on the machine. */
export const roundTrips: Section = {
  id: 'round-trips',
  title: 'Round trips',
  method:
    'How often a request waits for Postgres and for Redis, before its handler and in all, when its key and code paths ' +
    'were used a moment ago. A transaction has two round trips besides its statements: one opens it and names the ' +
    'tenant, one commits. Against a bare handler, which waits for nothing before its own work.',

  async run(bench) {
    process.env['NEXUSRAG_TEST_TEMPLATE'] = mkdtempSync(join(bench.folder, 'nexusrag-routes-'));
    const { EXAMPLES } = await import('../../test/contract/examples.js');
    const { SteadyApp } = await import('../../test/contract/steady-app.js');
    const app = await SteadyApp.start();
    bench.onClose(() => app.close());
    const lines: [string, number, number, number, number][] = [];
    for (const id of Object.keys(EXAMPLES)) {
      const trips = await app.roundTrips(id);
      const count = (to: string, among = trips): number => among.filter((trip) => trip.to === to).length;
      const before = trips.filter(({ inHandler }) => !inHandler);
      const [database, state] = ['database', 'shared state'];
      lines.push([`\`${id}\``, count(database, before), count(state, before), count(database), count(state)]);
    }
    const most = (column: 1 | 2): number => Math.max(...lines.map((line) => line[column]));
    const goal = { of: 'product', sign: '≤', limit: 1 } as const;
    return {
      rows: [
        {
          label: 'Postgres before the handler, most of any route',
          unit: '',
          better: 'lower',
          product: most(1),
          baseline: 0,
          compare: 'difference',
          goal,
        },
        {
          label: 'Redis before the handler, most of any route',
          unit: '',
          better: 'lower',
          product: most(2),
          baseline: 0,
          compare: 'difference',
          goal,
        },
      ],
      notes: [
        'A contract test asserts these counts on every change.',
        'What nobody waits for is left out: delivery of jobs, buffered audit rows, kept frames of streams.',
      ],
      table: {
        columns: ['operation', 'Postgres before', 'Redis before', 'Postgres in all', 'Redis in all'],
        lines,
      },
    };
  },
};
