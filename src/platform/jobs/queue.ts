/** Says that a job is due. The job itself is a row in the outbox. */
export interface Delivery {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
  /** Differs between the attempts of a job. A queue drops a delivery of the same round while it holds one. */
  readonly round: string;
}

/** A running consumption. */
export interface Consumer {
  /** Takes nothing more and resolves when the running handlers have settled. */
  close(): Promise<void>;
}

/**
 * Port: brings deliveries to a worker, soon and usually once. It may lose them or bring them twice: the outbox
 * notices both.
 *
 * `add`, `depth` and `ping` reject with QUEUE_UNAVAILABLE within about a second while the queue cannot take part.
 */
export abstract class DeliveryQueue {
  abstract add(delivery: Delivery): Promise<void>;
  /** Deliveries of a job name that wait or are being handled. */
  abstract depth(name: string): Promise<number>;
  /**
   * Hands deliveries of one job name to `handler`, at most `concurrency` at a time in this process, once per name
   * and queue object. Does not wait for a queue that is away: consumption begins when it comes back. A rejection of
   * the handler is dropped.
   */
  abstract consume(
    name: string,
    concurrency: number,
    handler: (delivery: Delivery) => Promise<void>,
  ): Promise<Consumer>;
  abstract ping(): Promise<void>;
  /** Closes the consumers first. */
  abstract close(): Promise<void>;
}

/** Identifies a delivery in a queue; contains neither `:` nor a number alone, which BullMQ refuses. */
export function deliveryKey({ tenantId, id, round }: Delivery): string {
  return [tenantId, id, round].map(encodeURIComponent).join('~');
}
