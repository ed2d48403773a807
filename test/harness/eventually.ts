import { setTimeout as pause } from 'node:timers/promises';

/** Polls until the assertion holds; fails with its last error. For what happens after an answer. */
export async function eventually<T>(assertion: () => Promise<T> | T, withinMs = 15_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(25);
    }
  }
}
