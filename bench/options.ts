import { parseArgs } from 'node:util';

export interface Options {
  /** Sections to run; all when empty. */
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly soakMinutes: number;
  /** Whether the documentation gets the figures; a full run always does that. */
  readonly publish: boolean;
  /** A built checkout of another version, which then is the baseline of `reads`, `answers`, `search` and `receipts`. */
  readonly against?: string;
  /** Where the JSON goes. */
  readonly out: string;
}

export const USAGE = `npm run bench -- [--only a,b] [--quick] [--soak-minutes 3] [--publish] [--against DIR] [--out bench/results/latest.json]

A full run, and one with --publish, rewrites the measured part of docs/reference/performance.md.
--against compares with the version that was built in DIR, on the same database and in turns; it has no goals.
TEST_DATABASE_URL and TEST_REDIS_URL name the services; without them scripts/services.sh starts its own.`;

/** @throws Error that says what is wrong with the arguments. */
export function readOptions(args: readonly string[], sections: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
      'soak-minutes': { type: 'string' },
      publish: { type: 'boolean', default: false },
      against: { type: 'string' },
      out: { type: 'string', default: 'bench/results/latest.json' },
    },
  });
  const only = values.only.split(',').filter((id) => id !== '');
  const unknown = only.filter((id) => !sections.includes(id));
  if (unknown.length > 0) throw new Error(`No such section: ${unknown.join(', ')}. There are ${sections.join(', ')}.`);
  const soakMinutes = Number(values['soak-minutes'] ?? (values.quick ? 0.1 : 3));
  if (!(soakMinutes > 0)) throw new Error('--soak-minutes must be a number above 0.');
  const { quick, against, out } = values;
  if (against !== undefined && values.publish) throw new Error('--publish is not for comparisons with --against.');
  const publish = values.publish || (!quick && only.length === 0 && against === undefined);
  return { only, quick, soakMinutes, publish, out, ...(against === undefined ? {} : { against }) };
}
