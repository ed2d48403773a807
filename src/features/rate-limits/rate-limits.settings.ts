import { bool, defineSettings, float, int, oneOf, type Field, type SettingsOf } from '../../kernel/settings.js';

export const RATE_CLASSES = ['run', 'mutation', 'read', 'ops'] as const;
export type RateClass = (typeof RATE_CLASSES)[number];
type Owner = 'key' | 'tenant';
type LimitName = `${Owner}_${RateClass}`;
type LimitFields<N extends LimitName> = Readonly<Record<`${N}_${'rps' | 'burst'}`, Field<number>>>;

/** The most tokens that one request of a class takes. */
const HIGHEST_COST: Readonly<Record<RateClass, number>> = { run: 3, mutation: 1, read: 1, ops: 1 };

const MEANING: Readonly<Record<RateClass, string>> = {
  run: 'runs, each of which takes 3',
  mutation: 'changes',
  read: 'reads',
  ops: 'operations and audit routes',
};

function limit<const N extends LimitName>(name: N, rps: number, burst: number): LimitFields<N> {
  const [owner, rateClass] = name.split('_') as [Owner, RateClass];
  const env = `RL_${name.toUpperCase()}`;
  const whose = owner === 'key' ? 'one API key' : 'one tenant, over all its keys,';
  const fields: Record<string, Field<number>> = {
    [`${name}_rps`]: float({
      env: `${env}_RPS`,
      default: rps,
      min: 0,
      max: 100_000,
      unit: 'tokens/s',
      doc: `What ${whose} gains for ${MEANING[rateClass]}: the rate that it can keep up.`,
    }),
    [`${name}_burst`]: int({
      env: `${env}_BURST`,
      default: burst,
      min: 0,
      max: 1_000_000,
      unit: 'tokens',
      doc: `What ${whose} can save up for ${MEANING[rateClass]}.`,
    }),
  };
  return fields as LimitFields<N>;
}

export const rateLimitsSettings = defineSettings(
  'rateLimits',
  'Rate limits',
  {
    enabled: bool({
      env: 'RATE_LIMIT_ENABLED',
      default: true,
      doc: 'Limit how often keys and tenants may call, and how often an address may fail to authenticate.',
    }),
    failMode: oneOf(['open', 'closed'], {
      env: 'RL_FAIL_MODE',
      default: 'open',
      doc: 'While Redis is away: open limits in each process by itself; closed answers 503 RATE_LIMIT_UNAVAILABLE.',
    }),
    ...limit('key_run', 1, 5),
    ...limit('tenant_run', 3, 15),
    ...limit('key_mutation', 2, 10),
    ...limit('tenant_mutation', 5, 25),
    ...limit('key_read', 5, 20),
    ...limit('tenant_read', 15, 60),
    ...limit('key_ops', 2, 10),
    ...limit('tenant_ops', 4, 20),
    preauthRps: float({
      env: 'PREAUTH_IP_RPS',
      default: 5,
      min: 0.01,
      max: 100_000,
      unit: 'failures/s',
      doc: 'Refused credentials that one client address can keep up before it is answered 429. Behind a proxy, set TRUST_PROXY_HOPS.',
    }),
    preauthBurst: int({
      env: 'PREAUTH_IP_BURST',
      default: 100,
      min: 1,
      max: 1_000_000,
      unit: 'failures',
      doc: 'Refused credentials that one client address has free.',
    }),
  },
  RATE_CLASSES.flatMap((rateClass) =>
    (['key', 'tenant'] as const).map((owner) => (values: Readonly<Record<string, unknown>>) => {
      const cost = HIGHEST_COST[rateClass];
      const name = `${owner}_${rateClass}_burst`;
      return Number(values[name]) >= cost
        ? undefined
        : `RL_${name.toUpperCase()} must be at least ${cost}, the tokens that one request takes: with less, none would ever pass.`;
    }),
  ),
);

export type RateLimitsSettings = SettingsOf<typeof rateLimitsSettings>;
