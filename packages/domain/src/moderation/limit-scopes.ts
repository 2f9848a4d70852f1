import type { Destination, LimitScope } from '../realm/configuration.ts';

/** The parties of a request that limits count by. */
export interface LimitSubjects {
  /** Empty where it is asked for nobody in particular: then no limit per CLIENT applies. */
  readonly client: string;
  /** The subject's keyed hash; empty when no subject is named. */
  readonly subjectHash: string;
}

/** The requests that a limit of this scope does not count. */
export interface LimitGap {
  /** All requests: the limit is an error. Some of them: it deserves a warning. */
  readonly requests: 'ALL' | 'SOME';
  /** The cause and the remedy, for the operator. */
  readonly text: string;
}

/** The rules of a limit scope. */
interface LimitScopeRow {
  /** The part of a counter's key that names the destination, its realm or nothing. The contract keeps `/` out of ids. */
  readonly counter: (destination: Destination) => string;
  /** The party that has a counter of its own; left out where all requests share one. */
  readonly each?: keyof LimitSubjects;
  /** The gap of such a limit at a destination; left out where there is never one. */
  readonly gap?: (destination: Destination) => LimitGap | undefined;
}

/**
 * The one table of limit scopes.
 *
 * SUBJECT, CLIENT and DESTINATION count within the destination: two destinations never share their counters. REALM counts
 * over all destinations of the realm that have such a limit with this window, OVERALL over all destinations with one.
 */
export const LIMIT_SCOPES: Readonly<Record<LimitScope, LimitScopeRow>> = {
  SUBJECT: {
    counter: ({ id }) => `/${id}/`,
    each: 'subjectHash',
    gap: ({ requireSubject }) =>
      requireSubject
        ? undefined
        : {
            requests: 'SOME',
            text: 'limits per SUBJECT do not count visitors who are not named; set requireSubject',
          },
  },
  CLIENT: { counter: ({ id }) => `/${id}/`, each: 'client' },
  DESTINATION: { counter: ({ id }) => `/${id}` },
  REALM: {
    counter: ({ realm = '' }) => `/${realm}`,
    gap: ({ realm }) =>
      realm === undefined
        ? {
            requests: 'ALL',
            text: 'counts by realm, and unrestricted calls have none; use DESTINATION or OVERALL',
          }
        : undefined,
  },
  OVERALL: { counter: () => '' },
};

/** The gap of a limit of this scope at a destination; undefined where it counts every request. */
export function limitGap(scope: LimitScope, destination: Destination): LimitGap | undefined {
  return LIMIT_SCOPES[scope].gap?.(destination);
}
