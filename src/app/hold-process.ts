import { MessageChannel } from 'node:worker_threads';

/**
 * Keeps the process alive until the returned function is called. Clock's timers never do, so a process that waits
 * for nothing but a retry or the next sweep would end in the middle of its work.
 */
export function holdProcess(): () => void {
  const { port1 } = new MessageChannel();
  port1.on('message', () => undefined);
  return () => port1.close();
}
