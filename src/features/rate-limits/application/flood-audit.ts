import { AsyncResource } from 'node:async_hooks';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { AuditTrail, type AuditEntry } from '../../../kernel/audit.js';
import { Clock } from '../../../kernel/time.js';

const WINDOW_MS = 10_000;
const MOST_KINDS = 10_000;

interface Window {
  repeats: number;
  close(): void;
}

/**
 * An audit trail for what a sender can cause as often as it likes. The first event of a kind is written at once; those
 * in the ten seconds after it become one more entry, the first again with their number as `repeats`. So a flood costs
 * two rows in ten seconds, and none of it goes uncounted.
 */
@Injectable()
export class FloodAudit implements BeforeApplicationShutdown {
  readonly #windows = new Map<string, Window>();

  constructor(
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** @param kind events of one kind stand for each other; beyond 10,000 open kinds all others are one. */
  note(kind: string, entry: AuditEntry): void {
    const key = this.#windows.size < MOST_KINDS || this.#windows.has(kind) ? kind : entry.event;
    const window = this.#windows.get(key);
    if (window !== undefined) {
      window.repeats += 1;
      return;
    }
    this.audit.note(entry);
    this.#windows.set(key, this.#open(key, entry));
  }

  beforeApplicationShutdown(): void {
    for (const window of [...this.#windows.values()]) window.close();
  }

  #open(key: string, entry: AuditEntry): Window {
    const window: Window = {
      repeats: 0,
      // In the context of the first event, at shutdown, too: the entry has its request, address and tenant.
      close: AsyncResource.bind(() => {
        timer.cancel();
        this.#windows.delete(key);
        if (window.repeats > 0) {
          this.audit.note({ ...entry, metadata: { ...entry.metadata, repeats: window.repeats } });
        }
      }),
    };
    const timer = this.clock.after(WINDOW_MS, () => window.close());
    return window;
  }
}
