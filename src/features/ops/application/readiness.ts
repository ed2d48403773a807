import { Injectable } from '@nestjs/common';

export interface ReadinessCheck {
  readonly name: string;
  /** What is wrong, in words that name no address; undefined when nothing is. */
  readonly check: () => Promise<string | undefined>;
}

/** What must be reachable for this process to serve; the list is bound in app/. */
@Injectable()
export class Readiness {
  constructor(readonly checks: readonly ReadinessCheck[]) {}
}
