import type { AttachableBinding, BindingPosture } from '../domain/binding.js';

/** What other features ask of bindings. Each in the unit of work that is open, with rows of the context's tenant only. */
export abstract class KeyBindings {
  /** FOR SHARE of the binding and its key; undefined when there is none or it is revoked. */
  abstract lock(bindingId: string): Promise<AttachableBinding | undefined>;
  /** Also of revoked bindings; unknown ones are missing from the map. */
  abstract postures(bindingIds: readonly string[]): Promise<ReadonlyMap<string, BindingPosture>>;
  /** Whether a tier (`classification:…`, then `plan:…`) makes a usable key a condition. */
  abstract required(tiers: readonly string[]): Promise<boolean>;
  /**
   * Writes down that a workload was stopped for its key, once a minute for each. In a transaction.
   *
   * @param workload such as the id of the corpus.
   */
  abstract recordVeto(posture: BindingPosture, workload: string): Promise<void>;
}
