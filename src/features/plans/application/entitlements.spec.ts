import { beforeEach, describe, expect, it } from '@jest/globals';
import { runInContext, systemContext } from '../../../kernel/context.js';
import { silentLog } from '../../../kernel/log.js';
import { ManualClock } from '../../../kernel/time.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { createSharedState, type SharedState, type SharedStateSettings } from '../../../platform/shared-state/index.js';
import { entitlementsOf } from '../domain/entitlement.js';
import { Entitlements } from './entitlements.js';
import { TenantPlan } from './tenant-plan.js';
import type { TenantPlans } from './tenant-plans.js';

const TTL_SECONDS = 30;

/** Lookups that end when the test says so. */
class HeldLookups {
  readonly waiting: { answer: (ttsEnabled: boolean) => void; fail: (error: Error) => void }[] = [];
  effectiveTo: Date | null = null;

  load(): Promise<TenantPlan> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ answer: (enabled) => resolve(this.#plan(enabled)), fail: reject });
    });
  }

  #plan(enabled: boolean): TenantPlan {
    const facts = { tenantId: 't', planId: 'p', planName: 'P', effectiveFrom: null, isActive: true };
    const features = entitlementsOf([{ feature_key: 'feature.tts', enabled, config_json: null }], []);
    return new TenantPlan({ ...facts, effectiveTo: this.effectiveTo }, features);
  }
}

let clock: ManualClock;
let state: SharedState;
let lookups: HeldLookups;
let entitlements: Entitlements;

function processWith(ttlSeconds: number): Entitlements {
  const uow = new UnitOfWork({} as never);
  const plans = lookups as unknown as TenantPlans;
  return new Entitlements(plans, uow, state, clock, silentLog, { cacheTtlSeconds: ttlSeconds });
}

beforeEach(async () => {
  clock = new ManualClock();
  state = createSharedState({} as SharedStateSettings, clock, silentLog);
  lookups = new HeldLookups();
  entitlements = processWith(TTL_SECONDS);
  await entitlements.onModuleInit();
});

const has = (of = entitlements, tenantId = 't'): Promise<boolean> =>
  runInContext(systemContext('r', tenantId), async () => (await of.current()).has('feature.tts'));

/** Has the plan remembered. */
async function known(enabled: boolean): Promise<void> {
  const asked = has();
  lookups.waiting.at(-1)?.answer(enabled);
  expect(await asked).toBe(enabled);
}

describe('entitlements', () => {
  it('are looked up once and then known until their time is over', async () => {
    await known(true);
    clock.advance(TTL_SECONDS * 1000 - 1);
    expect(await has()).toBe(true);
    expect(lookups.waiting).toHaveLength(1);
    clock.advance(1);
    void has();
    expect(lookups.waiting).toHaveLength(2);
  });

  it('are looked up once for all who ask meanwhile, and apart for each tenant', async () => {
    const asked = [has(), has(), has()];
    const other = has(entitlements, 'other');
    expect(lookups.waiting).toHaveLength(2);
    lookups.waiting[0]?.answer(true);
    lookups.waiting[1]?.answer(false);
    expect(await Promise.all([...asked, other])).toEqual([true, true, true, false]);
  });

  it('are looked up each time when nothing is to be remembered', async () => {
    const forgetful = processWith(0);
    for (const count of [1, 2]) {
      const asked = has(forgetful);
      expect(lookups.waiting).toHaveLength(count);
      lookups.waiting.at(-1)?.answer(true);
      await asked;
    }
  });

  it('end with their assignment, however long they may be known', async () => {
    lookups.effectiveTo = new Date(clock.now().getTime() + 5000);
    await known(true);
    clock.advance(5000);
    void has();
    expect(lookups.waiting).toHaveLength(2);
  });

  // What it read may be what was before the change; kept, it would outlive the message that announced the change.
  it('are not remembered from a lookup that a change has overtaken', async () => {
    const before = has();
    await entitlements.forget('t');
    const after = has();
    expect(lookups.waiting).toHaveLength(2);
    lookups.waiting[1]?.answer(false);
    expect(await after).toBe(false);
    lookups.waiting[0]?.answer(true);
    expect(await before).toBe(true);
    expect(await has()).toBe(false);
    expect(lookups.waiting).toHaveLength(2);
  });

  it('are forgotten when another process changes them', async () => {
    await known(true);
    await processWith(TTL_SECONDS).forget('t');
    void has();
    expect(lookups.waiting).toHaveLength(2);
  });

  it('are looked up again after a failure, which everybody who waited is told', async () => {
    const asked = [has(), has()];
    lookups.waiting[0]?.fail(new Error('away'));
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await known(true);
  });

  it('are nobody’s without a tenant', async () => {
    const asked = runInContext(systemContext('r'), async () => entitlements.current());
    await expect(asked).rejects.toMatchObject({ code: 'AUTHZ_RLS_GUARD_FAILED' });
  });

  it('refuse a feature by its key', async () => {
    await known(false);
    const asked = runInContext(systemContext('r', 't'), () => entitlements.require('feature.tts'));
    await expect(asked).rejects.toMatchObject({
      code: 'FEATURE_NOT_ENABLED',
      status: 403,
      details: { feature_key: 'feature.tts' },
    });
  });
});
