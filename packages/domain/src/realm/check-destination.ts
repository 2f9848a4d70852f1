import { assertUser, UserInvalidError } from '@callpass/token-core';
import { isWildcard } from '../moderation/addresses.ts';
import { readHours } from '../moderation/hours-grammar.ts';
import { limitGap } from '../moderation/limit-scopes.ts';
import type { Destination, Limit } from './configuration.ts';
import { quote, type KnownNames, type Report } from './problem.ts';

/** Names that a destination may refer to. */
export interface DestinationContext {
  /** The destination's place in the document. */
  readonly path: string;
  readonly realmNames: KnownNames;
  readonly report: Report;
}

/** Reports everything in a destination that does not hold. */
export function checkDestination(destination: Destination, context: DestinationContext): void {
  const { path, realmNames, report } = context;
  const { realm, account, hours } = destination;
  if (realm !== undefined && !realmNames.has(realm)) {
    report(`${path}.realm`, `there is no realm named ${quote(realm)}`);
  }

  const accountFault = isWildcard(account) ? 'one address is needed, not a wildcard' : addressFault(account);
  if (accountFault) report(`${path}.account`, accountFault);

  checkAddresses(destination.callees, `${path}.callees`, report);
  checkAddresses(destination.callers, `${path}.callers`, report);
  const [defaultCallee] = destination.callees;
  if (defaultCallee === undefined) {
    report(`${path}.callees`, 'at least one callee is needed; the first is the default');
  } else if (isWildcard(defaultCallee)) {
    report(`${path}.callees[0]`, 'the first callee is the default and must be one address, not a wildcard');
  }

  const read = hours ? readHours(hours) : undefined;
  if (read && 'faults' in read) {
    for (const fault of read.faults) report(`${path}.hours.${fault.field}`, fault.message);
  }
  checkLimits(destination, path, report);
}

function checkAddresses(addresses: readonly string[], path: string, report: Report): void {
  addresses.forEach((address, index) => {
    const fault = addressFault(address);
    if (fault) report(`${path}[${index}]`, fault);
  });
}

function addressFault(address: string): string | undefined {
  try {
    assertUser(address);
  } catch (error) {
    const why = error instanceof UserInvalidError ? error.message : 'user is no text';
    return `is neither user@domain nor *@domain: ${why}`;
  }
  return address.includes('*', address.indexOf('@'))
    ? 'a wildcard stands for the whole user, as in *@domain, and never for a domain'
    : undefined;
}

function checkLimits(destination: Destination, path: string, report: Report): void {
  const firstPlaces = new Map<string, number>();
  destination.limits.forEach((limit, index) => {
    const at = `${path}.limits[${index}]`;
    if (!isCount(limit.windowMs)) report(`${at}.window`, 'must be longer than zero, in whole milliseconds');
    if (!isCount(limit.max))
      report(`${at}.max`, 'must be a whole number above zero; to stop all calls set enabled: false');
    const gap = limitGap(limit.per, destination);
    if (gap?.requests === 'ALL') report(`${at}.per`, gap.text);
    const counter = counterOf(limit);
    const first = firstPlaces.get(counter);
    if (first === undefined) firstPlaces.set(counter, index);
    else report(at, `limits[${first}] has the same scope and window already; keep one of them`);
  });
}

function counterOf({ per, windowMs }: Limit): string {
  return `${per}/${windowMs}`;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
