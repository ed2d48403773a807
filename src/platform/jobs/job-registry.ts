import type { JobHandler, JobSpec } from '../../kernel/jobs.js';

export interface Registration {
  readonly spec: JobSpec<unknown>;
  readonly handler: JobHandler<unknown>;
  /** Jobs of this name that one process runs at a time. */
  readonly concurrency: number;
}

/** Who handles which job. */
export class JobRegistry {
  readonly #registrations = new Map<string, Registration>();

  /** @throws Error when the job has a handler already. */
  register<P>(spec: JobSpec<P>, handler: JobHandler<P>, { concurrency }: { concurrency: number }): void {
    if (this.#registrations.has(spec.name)) throw new Error(`Two handlers for the job ${spec.name}.`);
    this.#registrations.set(spec.name, { spec, handler, concurrency });
  }

  find(name: string): Registration | undefined {
    return this.#registrations.get(name);
  }

  all(): Registration[] {
    return [...this.#registrations.values()];
  }

  /** For boot. @throws Error naming every declared job without a handler and every handler of an undeclared job. */
  assertComplete(specs: readonly Pick<JobSpec<unknown>, 'name'>[]): void {
    const declared = new Set(specs.map(({ name }) => name));
    const faults = [
      ...[...declared].filter((name) => !this.#registrations.has(name)).map((name) => `${name} has no handler`),
      ...[...this.#registrations.keys()].filter((name) => !declared.has(name)).map((name) => `${name} is not declared`),
    ];
    if (faults.length > 0) throw new Error(`Jobs and handlers do not match: ${faults.join(', ')}.`);
  }
}
