import { Injectable, type OnModuleDestroy } from '@nestjs/common';

export interface ReadinessCheck {
  readonly name: string;
  /** What is wrong, in words that name no address; undefined when nothing is. */
  readonly check: () => Promise<string | undefined>;
  /** The process serves all the same. */
  readonly isWarning?: true;
}

/** What must be reachable for this process to serve, as bound in app/; and that it is not about to stop. */
@Injectable()
export class Readiness implements OnModuleDestroy {
  readonly checks: readonly ReadinessCheck[];
  #stopping = false;

  constructor(checks: readonly ReadinessCheck[]) {
    this.checks = [{ name: 'process', check: async () => (this.#stopping ? 'stopping' : undefined) }, ...checks];
  }

  /** The first thing that happens when the application closes: open answers end, but no new ones should come. */
  onModuleDestroy(): void {
    this.#stopping = true;
  }
}
