import { CommandFailure, EXIT } from './failure.js';
import { givenFile } from './given-file.js';

/** @param what names the argument to whoever gave it. @throws CommandFailure */
export async function givenText(what: string, path: string): Promise<string> {
  try {
    return (await givenFile(path)).toString();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure('USAGE', `${what} cannot be read: ${why}`, EXIT.usage, error);
  }
}
