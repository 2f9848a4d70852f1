import type { Destination } from '../realm/configuration.ts';
import { compileAddresses, type AddressMatcher } from './addresses.ts';
import { compileHours, isOpen, nextOpening, type CompiledHours } from './hours.ts';
import { compileLimits, type CompiledLimit } from './limits.ts';

/** Why a request is refused by its destination's rules; each is a reason of the contract. */
export type RefusalReason =
  | 'DESTINATION_DISABLED'
  | 'DESTINATION_CLOSED'
  | 'SUBJECT_REQUIRED'
  | 'CALLEE_NOT_ALLOWED'
  | 'CALLER_NOT_ALLOWED';

/** Decision of a destination's rules on a request. */
export type Decision =
  | { readonly allow: true; readonly callee: string; readonly caller: string }
  | {
      readonly allow: false;
      readonly reason: RefusalReason;
      /** The member of the destination that refused: `enabled`, `requireSubject`, `callees`, `callers` or `hours`. */
      readonly rule: string;
      /** With DESTINATION_CLOSED: when it opens next, if within 400 days. */
      readonly opensAtMs?: number;
    };

/** Request of a client. */
export interface ModerationRequest {
  /** Left out or empty: the destination's first. */
  readonly callee?: string | undefined;
  /** Left out or empty: the destination's account. */
  readonly caller?: string | undefined;
  /** Empty: the client names no visitor. */
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** A default that was looked up once. */
interface Default {
  readonly address: string | undefined;
}

function defaultOf(matcher: AddressMatcher, address = ''): Default {
  return { address: matcher.matches(address) ? address : undefined };
}

/** A destination of one configuration revision, ready to be asked. What a rule needs is made when it is first asked. */
export class CompiledDestination {
  readonly destination: Destination;
  #callees: AddressMatcher | undefined;
  #callers: AddressMatcher | undefined;
  #defaultCallee: Default | undefined;
  #defaultCaller: Default | undefined;
  #hours: CompiledHours | undefined;
  #limits: readonly CompiledLimit[] | undefined;

  constructor(destination: Destination) {
    this.destination = destination;
  }

  /** Addresses that may be called. */
  get callees(): AddressMatcher {
    return (this.#callees ??= compileAddresses(this.destination.callees));
  }

  /** Addresses that a call may come from, the account included. */
  get callers(): AddressMatcher {
    return (this.#callers ??= compileAddresses([this.destination.account, ...this.destination.callers]));
  }

  /** The address that is called when none is named; `undefined` where that is no address, which `checkConfiguration` refuses. */
  get defaultCallee(): string | undefined {
    return (this.#defaultCallee ??= defaultOf(this.callees, this.destination.callees[0])).address;
  }

  /** The address that a call comes from when none is named. */
  get defaultCaller(): string | undefined {
    return (this.#defaultCaller ??= defaultOf(this.callers, this.destination.account)).address;
  }

  /** Opening hours; `undefined` for always. Throws HoursError for hours that `checkConfiguration` refuses. */
  get hours(): CompiledHours | undefined {
    const { hours } = this.destination;
    return hours && (this.#hours ??= compileHours(hours));
  }

  /** Limits on what is granted. */
  get limits(): readonly CompiledLimit[] {
    return (this.#limits ??= compileLimits(this.destination));
  }
}

/** Makes a destination ready to be asked, in well under a microsecond. Keep it as long as its revision is in force. */
export function compileDestination(destination: Destination): CompiledDestination {
  return new CompiledDestination(destination);
}

/**
 * Decides on a request by the destination's own rules, in this order: enabled, subject, callee, caller, hours. Limits and
 * freezes are asked elsewhere. Answers every request and never throws; hours that do not parse are closed.
 */
export function moderate(compiled: CompiledDestination, request: ModerationRequest): Decision {
  const { destination } = compiled;
  if (!destination.enabled) return { allow: false, reason: 'DESTINATION_DISABLED', rule: 'enabled' };
  if (destination.requireSubject && request.subject === '') {
    return { allow: false, reason: 'SUBJECT_REQUIRED', rule: 'requireSubject' };
  }
  const callee = allowedBy(compiled.callees, request.callee, compiled.defaultCallee);
  if (callee === undefined) return { allow: false, reason: 'CALLEE_NOT_ALLOWED', rule: 'callees' };
  const caller = allowedBy(compiled.callers, request.caller, compiled.defaultCaller);
  if (caller === undefined) return { allow: false, reason: 'CALLER_NOT_ALLOWED', rule: 'callers' };
  return closedAt(compiled, request.nowMs) ?? { allow: true, callee, caller };
}

/** The address asked for, if it is allowed. Fields left out of a message arrive as empty text: then the default. */
function allowedBy(
  matcher: AddressMatcher,
  asked: string | undefined,
  byDefault: string | undefined,
): string | undefined {
  if (asked === undefined || asked === '') return byDefault;
  return matcher.matches(asked) ? asked : undefined;
}

function closedAt(compiled: CompiledDestination, nowMs: number): Decision | undefined {
  let opensAtMs: number | undefined;
  try {
    const { hours } = compiled;
    if (!hours || isOpen(hours, nowMs)) return undefined;
    opensAtMs = nextOpening(hours, nowMs);
  } catch {
    opensAtMs = undefined;
  }
  const closed = { allow: false, reason: 'DESTINATION_CLOSED', rule: 'hours' } as const;
  return opensAtMs === undefined ? closed : { ...closed, opensAtMs };
}
