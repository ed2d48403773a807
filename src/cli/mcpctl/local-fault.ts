import { givenFile } from '../given-file.js';

/** What stands in the way on this side of the network, in words that say what to do about it. */
export class LocalFault extends Error {
  override readonly name = 'LocalFault';
}

/** @param what names the file to whoever gave it. @throws LocalFault */
export async function readBytes(path: string, what: string): Promise<Buffer> {
  try {
    return await givenFile(path);
  } catch (error) {
    throw new LocalFault(`${what} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
