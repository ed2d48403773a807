import { Injectable } from '@nestjs/common';
import { currentContext, runInContext, type Context } from '../../../kernel/context.js';
import { isAppError } from '../../../kernel/errors.js';
import { Log } from '../../../kernel/log.js';
import { whenKnown, type Soon } from '../../../kernel/soon.js';
import { Clock } from '../../../kernel/time.js';
import { TrafficGate, type Passage, type UsageCounter } from '../../../platform/shared-state/index.js';
import { periodsAt } from '../domain/period.js';
import { blockedBy, quotaHeaders, remaining } from '../domain/quota.js';
import { quotasErrors } from '../quotas.errors.js';
import { Charge } from './charge.js';
import { Limits } from './limits.js';
import { QuotaNotices } from './quota-notices.js';
import { UsageLedger } from './usage-ledger.js';

/** What the meter needs of a response. */
export interface Answer {
  readonly statusCode: number;
  /** Whether it has ended, or its client has gone. */
  readonly closed: boolean;
  setHeader(name: string, value: string): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * Charges requests to the quota of their tenant. The units are reserved by the same call of the gate that asks the
 * limiter, so they cost no wait of their own; a request that ends before its handler, in a 422 or in a 5xx, gives them
 * back after its response. See README.md for the way of a charge.
 */
@Injectable()
export class QuotaMeter {
  /** What is charged for the request of a context. */
  readonly #charges = new WeakMap<Context, Charge>();
  /** Of the latest request. */
  #periods: Charge['periods'] | undefined;

  constructor(
    private readonly limits: Limits,
    private readonly ledger: UsageLedger,
    private readonly notices: QuotaNotices,
    private readonly gate: TrafficGate,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /**
   * Stage 6. Reserves the units of the context's request, or notes that they do not fit, which is not an error yet.
   * From here on the answer says how the quota stands when it begins. When nothing was counted, because the gate is
   * away, the units are charged at stage 12 without it.
   *
   * @param pass the limiter's call of the gate, with the counters that it is given. Called again when the gate does not
   * know them.
   */
  reserve(response: Answer, pass: (counters: readonly UsageCounter[]) => Promise<Passage>): Promise<Passage> {
    const context = currentContext();
    const opened = this.#open(context);
    const reserve = (charge: Charge | undefined): Promise<Passage> =>
      charge === undefined ? pass([]) : this.#reserve(context, charge, response, pass);
    return opened instanceof Promise ? opened.then(reserve) : reserve(opened);
  }

  #reserve(
    context: Context,
    charge: Charge,
    response: Answer,
    pass: (counters: readonly UsageCounter[]) => Promise<Passage>,
  ): Promise<Passage> {
    return this.ledger.ask(charge, pass).then((passage) => {
      if (passage.outcome === 'throttled' || passage.used.length === 0) return passage;
      charge.state = passage.outcome === 'passed' ? 'reserved' : 'refused';
      charge.used = passage.used;
      this.#follow(context, charge, response);
      return passage;
    });
  }

  /**
   * Stage 12. From here on the units count, unless the answer is a 422 or a 5xx. Units that were reserved are charged at once.
   *
   * @throws QUOTA_EXCEEDED
   */
  charge(response: Answer): Promise<void> | undefined {
    const context = currentContext();
    const charge = this.#charges.get(context);
    if (charge?.state !== 'reserved') return this.#chargeUnreserved(context, charge, response);
    this.#charged(charge, response);
    return undefined;
  }

  async #chargeUnreserved(context: Context, known: Charge | undefined, response: Answer): Promise<void> {
    const charge = known ?? (await this.#open(context));
    if (charge === undefined) return;
    const fits = await this.#chargeNow(charge);
    if (known === undefined) this.#follow(context, charge, response);
    if (!fits) throw this.#refuse(charge);
    this.#charged(charge, response);
  }

  #charged(charge: Charge, response: Answer): void {
    charge.state = 'charged';
    if (response.closed) this.#end(charge, response.statusCode);
  }

  /** How the quota of the current request's tenant stands, with that request; undefined without a charged request. */
  current(): Charge | undefined {
    return this.#charges.get(currentContext());
  }

  #open({ principal, operation }: Context): Soon<Charge | undefined> {
    if (principal === undefined || operation === undefined) return undefined;
    const units = operation.unmetered === true ? 0 : operation.cost;
    return whenKnown(this.limits.current(), (limits) => {
      this.#periods = periodsAt(this.clock.now(), this.#periods);
      return new Charge(principal.tenantId, limits, units, operation.rateClass, this.#periods);
    });
  }

  /**
   * For a request that is about to be refused: others in flight may have given units back meanwhile. And for one that
   * came past the gate while it was away, or whose client has gone already.
   */
  async #chargeNow(charge: Charge): Promise<boolean> {
    try {
      const passage = await this.ledger.ask(charge, (counters) => this.gate.pass(charge.tenantId, 0, [], counters));
      if (passage.outcome === 'throttled') return false;
      charge.used = passage.used;
      return passage.outcome === 'passed';
    } catch (error) {
      if (!isAppError(error, 'SHARED_STATE_UNAVAILABLE')) throw error;
      return this.ledger.charge(charge);
    }
  }

  #follow(context: Context, charge: Charge, response: Answer): void {
    this.#charges.set(context, charge);
    context.beforeHeaders = () => setHeaders(response, charge);
    const end = (): void => runInContext(context, () => this.#end(charge, response.statusCode));
    if (response.closed) end();
    else response.once('close', end);
  }

  /** A client that went away is no failure of ours: its response has the status that it would have had. */
  #end(charge: Charge, status: number): void {
    const { state, tenantId, limits, units } = charge;
    if (state === 'charged' && !isFree(status)) {
      charge.state = 'settled';
      this.ledger.add(charge.delta(charge.countedIn === 'gate' ? units : 0, 1));
      if (units > 0) this.notices.used(tenantId, charge.standings(), limits);
    } else if (state === 'charged' || state === 'reserved') {
      charge.state = 'returned';
      if (units > 0) this.#giveBack(charge);
    }
  }

  #giveBack(charge: Charge): void {
    const { tenantId, units } = charge;
    if (charge.countedIn === 'ledger') return this.ledger.add(charge.delta(-units, 0));
    this.gate.giveBack(tenantId, charge.counters()).catch((error: unknown) => {
      this.log.warn({ err: error, tenant_id: tenantId, units }, 'units stay counted until their periods end');
    });
  }

  #refuse(charge: Charge): Error {
    const { tenantId, units } = charge;
    const standings = charge.standings();
    const by = blockedBy(standings, units) ?? standings[0];
    this.notices.blocked(tenantId, standings, by);
    const waitMs = by.period.end.getTime() - this.clock.now().getTime();
    return quotasErrors.QUOTA_EXCEEDED({
      message: `${by.period.type === 'day' ? 'Daily' : 'Monthly'} request quota exceeded`,
      details: {
        period: by.period.type,
        limit: by.limit,
        used: by.used,
        remaining: remaining(by),
        cost: units,
        resets_at: by.period.end.toISOString(),
      },
      headers: { 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))) },
    });
  }
}

/** What is not valid costs nothing, also where only the handler can tell; nor does what the service fails. */
function isFree(status: number): boolean {
  return status === 422 || status >= 500;
}

function setHeaders(response: Answer, charge: Charge): void {
  const headers = quotaHeaders(charge.standings(isFree(response.statusCode)), charge.limits);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}
