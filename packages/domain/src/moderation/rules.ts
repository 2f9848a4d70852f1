import type { Destination } from '../realm/configuration.ts';
import { compileAddresses, type AddressMatcher } from './addresses.ts';
import { compileHours, isOpen, nextOpening, type CompiledHours } from './hours.ts';

/** Why a request is refused by its destination's rules; each is a reason of the contract. */
export type RefusalReason =
  | 'DESTINATION_DISABLED'
  | 'DESTINATION_CLOSED'
  | 'SUBJECT_REQUIRED'
  | 'CALLEE_NOT_ALLOWED'
  | 'CALLER_NOT_ALLOWED';

/** What a destination's rules say to a request. */
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

/** What a client asks for. */
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

/** A destination of one configuration revision, ready to be asked. What a rule needs is made when it is first asked. */
export class CompiledDestination {
  readonly destination: Destination;
  #callees: AddressMatcher | undefined;
  #callers: AddressMatcher | undefined;
  #hours: CompiledHours | undefined;

  constructor(destination: Destination) {
    this.destination = destination;
  }

  /** Who may be called. */
  get callees(): AddressMatcher {
    return (this.#callees ??= compileAddresses(this.destination.callees));
  }

  /** Who a call may come from, the account included. */
  get callers(): AddressMatcher {
    return (this.#callers ??= compileAddresses([this.destination.account, ...this.destination.callers]));
  }

  /** When it is open; `undefined` for always. Throws HoursError for hours that `checkConfiguration` refuses. */
  get hours(): CompiledHours | undefined {
    const { hours } = this.destination;
    return hours && (this.#hours ??= compileHours(hours));
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
  const callee = given(request.callee) ?? destination.callees[0] ?? '';
  if (!compiled.callees.matches(callee)) {
    return { allow: false, reason: 'CALLEE_NOT_ALLOWED', rule: 'callees' };
  }
  const caller = given(request.caller) ?? destination.account;
  if (!compiled.callers.matches(caller)) {
    return { allow: false, reason: 'CALLER_NOT_ALLOWED', rule: 'callers' };
  }
  return closedAt(compiled, request.nowMs) ?? { allow: true, callee, caller };
}

/** Fields left out of a message arrive as empty text. */
function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
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
