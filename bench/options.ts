import { parseArgs } from 'node:util';

export interface Options {
  /** Sections to run; all when empty. */
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly soakMinutes: number;
  /** Whether the documentation gets the figures; a full run always does that. */
  readonly publish: boolean;
  /** Where the JSON goes. */
  readonly out: string;
}

export const USAGE = `npm run bench -- [--only a,b] [--quick] [--soak-minutes 3] [--publish] [--out bench/results/latest.json]

A full run, and one with --publish, rewrites the measured part of docs/reference/performance.md.
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
      out: { type: 'string', default: 'bench/results/latest.json' },
    },
  });
  const only = values.only.split(',').filter((id) => id !== '');
  const unknown = only.filter((id) => !sections.includes(id));
  if (unknown.length > 0) throw new Error(`No such section: ${unknown.join(', ')}. There are ${sections.join(', ')}.`);
  const soakMinutes = Number(values['soak-minutes'] ?? (values.quick ? 0.1 : 3));
  if (!(soakMinutes > 0)) throw new Error('--soak-minutes must be a number above 0.');
  const publish = values.publish || (!values.quick && only.length === 0);
  return { only, quick: values.quick, soakMinutes, publish, out: values.out };
}
