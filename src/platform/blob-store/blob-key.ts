/** A caller made a key that no store takes: a defect in the caller, not something a client can cause or mend. */
export class InvalidBlobKey extends Error {
  constructor() {
    // The key may hold a client's words, so it is not repeated.
    super('A blob key is 1–1024 characters of A-Z a-z 0-9 . _ - in segments separated by single slashes.');
    this.name = 'InvalidBlobKey';
  }
}

/** Characters per key that S3 takes. */
const MAX_KEY_LENGTH = 1024;
/** Characters per segment that file systems take, less the suffix of the local store. */
const MAX_SEGMENT_LENGTH = 254;

/**
 * Two accepted keys never name the same blob, and no accepted key leads out of the folder it is resolved in: empty,
 * `.` and `..` segments are refused, hence also absolute keys.
 *
 * @throws InvalidBlobKey
 */
export function assertBlobKey(key: string): void {
  const sound =
    key.length <= MAX_KEY_LENGTH &&
    /^[A-Za-z0-9._/-]+$/.test(key) &&
    key
      .split('/')
      .every(
        (segment) => segment !== '' && segment !== '.' && segment !== '..' && segment.length <= MAX_SEGMENT_LENGTH,
      );
  if (!sound) throw new InvalidBlobKey();
}
