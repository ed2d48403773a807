import { commonErrors } from '../../kernel/common-errors.js';

/** Strong entity tag of a version counter. */
export function etag(version: number): string {
  return `"${version}"`;
}

/**
 * The version that `If-Match` demands; undefined when it demands none (`*` or no header).
 *
 * @throws PRECONDITION_FAILED for a tag that we never gave out.
 */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const version = /^"(\d{1,9})"$/.exec(ifMatch.trim())?.[1];
  if (version === undefined) throw commonErrors.PRECONDITION_FAILED();
  return Number(version);
}
