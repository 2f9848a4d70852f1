import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { IssueCredentialsResponse } from '@callpass/contract';

/**
 * Whether credentials are still good to place a call with at this time (ms since the epoch): until their refresh time,
 * which leaves room before they expire. Unrestricted ones always are; time-limited ones without a refresh time never.
 */
export function isFresh({ grant, refreshTime }: IssueCredentialsResponse, nowMs: number): boolean {
  if (grant.case === 'unrestricted') return true;
  return grant.case === 'timeLimited' && refreshTime !== undefined && nowMs < timestampMs(refreshTime);
}
