/** A fixed number of slots that nobody queues for: who finds none is turned away at once. */
export class Bulkhead {
  #taken = 0;

  constructor(private readonly slots: number) {}

  get free(): number {
    return this.slots - this.#taken;
  }

  /** Takes a slot. @returns its release, which may be called more than once; undefined when all are taken. */
  acquire(): (() => void) | undefined {
    if (this.#taken >= this.slots) return undefined;
    this.#taken += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#taken -= 1;
    };
  }
}
