import type { CliOutput } from './command-line.js';

/**
 * The streams of this process. A reader that has seen enough, as `head` does, ends the process in peace; output that is
 * lost any other way ends it with 1, or half an answer would pass for the whole one.
 */
export function standardOutput(): CliOutput {
  const { stdout, stderr } = process;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    stderr.write(`Error: The output cannot be written: ${error.message}\n`);
    process.exit(1);
  });
  // Nobody is left to be told; the exit code tells.
  stderr.on('error', () => undefined);
  return { out: (text) => stdout.write(`${text}\n`), err: (text) => stderr.write(`${text}\n`) };
}
