import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { IssueCredentialsResponse } from '@callpass/contract';

/**
 * Checks that credentials may still start a call at this time (ms since the epoch): before their refresh time, which leaves
 * room before they expire. Unrestricted credentials always may, time-limited ones without a refresh time never.
 *
 * @example
 * ```ts
 * if (!isFresh(response, Date.now())) response = await client.issueCredentials(request);
 * ```
 */
export function isFresh({ grant, refreshTime }: IssueCredentialsResponse, nowMs: number): boolean {
  if (grant.case === 'unrestricted') return true;
  return grant.case === 'timeLimited' && refreshTime !== undefined && nowMs < timestampMs(refreshTime);
}
