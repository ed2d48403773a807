import { AsyncLocalStorage } from 'node:async_hooks';
import type { Reservation, StoredAnswer } from './idempotency.js';
import type { Principal } from './principal.js';
import type { Operation } from './operation.js';

/**
 * What one request, job or command carries with it, without passing it by hand: ids for correlation, the tenant
 * that the database may show, and who acts. Opened before the body parser and restored around every job.
 */
export interface Context {
  readonly requestId: string;
  /** W3C trace context as received, passed on to jobs and upstream calls. */
  readonly traceparent?: string;
  /** `legacy` for the unversioned aliases, which keep their pre-v1 shapes; `bare` for aliases of later. */
  readonly apiVersion?: 'v1' | 'bare' | 'legacy';
  readonly method?: string;
  /** As it was asked for, without the query. */
  readonly path?: string;
  readonly ipAddress?: string;
  readonly userAgent?: string;
  /** Set by authentication, by the job runner, or by a command; rows of other tenants do not exist from here on. */
  tenantId?: string;
  principal?: Principal;
  operation?: Operation;
  /** Of the operation, with the names of its parameters. */
  route?: string;
  /** `Idempotency-Key` of a v1 write, once it is known to be one. */
  idempotencyKey?: string;
  /** Held by a write with an `Idempotency-Key` until it is answered. */
  reservation?: Reservation;
  /** The answer of an earlier request with the same key: sent in place of the handler's, and takes no quota. */
  replay?: StoredAnswer;
  /** Called when the headers of the answer are about to be written, for those that are known only then. */
  beforeHeaders?: () => void;
  /** Code of the error that was answered, for the access log. */
  errorCode?: string;
  /** Names of the pipeline stages passed so far, in order. */
  readonly trail: string[];
}

const storage = new AsyncLocalStorage<Context>();

export function runInContext<T>(context: Context, fn: () => T): T {
  return storage.run(context, fn);
}

export function currentContext(): Context {
  const context = storage.getStore();
  if (context === undefined) throw new Error('No context: open one with runInContext.');
  return context;
}

export function tryContext(): Context | undefined {
  return storage.getStore();
}

/**
 * Does work in another tenant than the context's, as operators do. Who acts stays who acts. What holds the idempotency
 * key belongs to the context's tenant and does not come along: after a crash, a repetition may do the work again.
 */
export function inTenant<T>(tenantId: string, fn: () => T): T {
  const context: Context = { ...currentContext(), tenantId };
  delete context.reservation;
  return runInContext(context, fn);
}

/** A context for work that no request started: jobs, commands, bootstrap. */
export function systemContext(requestId: string, tenantId?: string): Context {
  return { requestId, trail: [], ...(tenantId === undefined ? {} : { tenantId }) };
}
