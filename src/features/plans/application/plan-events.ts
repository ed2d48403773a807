export interface UpgradeRequested {
  readonly requestId: number;
  readonly tenantId: string;
  readonly currentPlan: string;
  readonly targetPlan: string;
  readonly reason: string | null;
}

/** Port: who wants to know what happens to plans. Bound in app/. */
export abstract class PlanEvents {
  /** Called in the transaction that stores the request: what it enqueues is sent if and only if that commits. */
  abstract upgradeRequested(event: UpgradeRequested): Promise<void>;
}
