import type { Attributes, JsonObject } from '../../src/features/rbac-abac/domain/attributes.js';
import { PolicySet, type Policy } from '../../src/features/rbac-abac/domain/policy-set.js';
import type { Section } from '../rig/bench.js';
import { interleaved } from '../rig/rounds.js';
import { median, percentile } from '../statistics.js';

const POLICIES = 1000;
const SCOPE = { resourceType: 'document', action: 'read' } as const;
const ATTRIBUTES: Attributes = {
  principal: { id: 'u1', tenant_id: 't', role: 'editor', plan: 'pro', groups: ['finance', 'audit'] },
  request: { time: '2026-03-02T10:15:00.000Z', ip: '10.0.0.1', method: 'GET', path: '/v1/documents/d1' },
  resource: { id: 'd1', corpus_id: 'c1', status: 'succeeded', labels: { team: 'none' }, metadata: { year: 2026 } },
};

/** (g) What a decision costs that looks at every policy. */
export const decisions: Section = {
  id: 'decisions',
  title: 'Decisions by policies',
  method:
    `One decision about a document with ${POLICIES.toLocaleString('en-US')} enabled policies for its action, of which ` +
    'none matches but the last one: groups, labels, numbers and hours of the day in a time zone. Against the same ' +
    'questions as functions written by hand, without parsing, order, scopes, validity or trace. One process, no HTTP.',

  async run(bench) {
    const policies = PolicySet.of(Array.from({ length: POLICIES }, (_, at) => policyOf(at)));
    const functions = Array.from({ length: POLICIES }, (_, at) => functionOf(at));
    const product = (): boolean => policies.decide(SCOPE, ATTRIBUTES, true).allowed;
    const baseline = (): boolean => functions.some((matches) => matches(ATTRIBUTES as unknown as Known));
    const count = bench.size(10_000, 500);
    const measured = async (decide: () => boolean): Promise<{ p50: number; p99: number }> => {
      const times = Array.from({ length: count }, () => timed(decide));
      return { p50: median(times), p99: percentile(times, 0.99) };
    };
    await measured(product);
    await measured(baseline);
    const rounds = await interleaved(
      bench.rounds,
      () => measured(baseline),
      () => measured(product),
    );
    const both = (figure: 'p50' | 'p99'): { product: number; baseline: number } => ({
      product: median(rounds.product.map((round) => round[figure])),
      baseline: median(rounds.baseline.map((round) => round[figure])),
    });
    return {
      rows: [
        { label: 'a decision, p50', unit: 'ms', better: 'lower', ...both('p50') },
        {
          label: 'a decision, p99',
          unit: 'ms',
          better: 'lower',
          ...both('p99'),
          goal: { of: 'product', sign: '≤', limit: 1 },
        },
      ],
      notes: [`Medians of ${rounds.product.length} rounds of ${count.toLocaleString('en-US')} decisions.`],
    };
  },
};

/** @throws Error for the wrong decision, so that no wrong one is measured. */
function timed(decide: () => boolean): number {
  const started = performance.now();
  const isAllowed = decide();
  const ms = performance.now() - started;
  if (!isAllowed) throw new Error('The last policy must allow.');
  return ms;
}

function policyOf(at: number): Policy {
  const isLast = at === POLICIES - 1;
  const shared = {
    id: `p${at}`,
    resourceType: 'document',
    action: at % 2 === 0 ? 'read' : '*',
    priority: -at,
  } as const;
  return isLast
    ? { ...shared, effect: 'allow', condition: {} }
    : { ...shared, effect: at % 3 === 0 ? 'deny' : 'allow', condition: CONDITIONS[at % CONDITIONS.length]?.(at) ?? {} };
}

const CONDITIONS: readonly ((at: number) => JsonObject)[] = [
  (at) => ({ eq: [{ var: 'resource.labels.team' }, `team ${at}`] }),
  (at) => ({
    all: [{ contains: [{ var: 'principal.groups' }, 'audit'] }, { gt: [{ var: 'resource.metadata.year' }, 2026 + at] }],
  }),
  (at) => ({
    any: [
      { eq: { field: 'principal.id', value: `other ${at}` } },
      { in: [{ var: 'resource.status' }, ['queued', 'failed']] },
    ],
  }),
  () => ({ not: { time_between: [{ var: 'request.time' }, { start: '09:00', end: '18:00', tz: 'Europe/Berlin' }] } }),
];

interface Known {
  readonly principal: { readonly id: string; readonly groups: readonly string[] };
  readonly request: { readonly time: string };
  readonly resource: {
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly metadata: { readonly year: number };
  };
}

function functionOf(at: number): (attributes: Known) => boolean {
  if (at === POLICIES - 1) return () => true;
  switch (at % CONDITIONS.length) {
    case 0:
      return ({ resource }) => resource.labels['team'] === `team ${at}`;
    case 1:
      return ({ principal, resource }) => principal.groups.includes('audit') && resource.metadata.year > 2026 + at;
    case 2:
      return ({ principal, resource }) =>
        principal.id === `other ${at}` || resource.status === 'queued' || resource.status === 'failed';
    default:
      // Winter in Berlin.
      return ({ request }) => {
        const hours = (Number(request.time.slice(11, 13)) + 1) * 60 + Number(request.time.slice(14, 16));
        return !(hours >= 9 * 60 && hours <= 18 * 60);
      };
  }
}
