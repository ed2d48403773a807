import type { Fault } from './protocol.js';

/** Ends the reading of a file with a fault of the file. Any other error counts as `corrupt`. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
  constructor(readonly fault: Fault) {
    super(`The file cannot be read: ${fault}.`);
  }
}
