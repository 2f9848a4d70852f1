/** Texts of entries that programs read again, each with its reader: what is written here is never changed, only added to. */

const COUNTED = /^(?:(.*), )?(\d{1,15}) more within a minute$/s;
const UNCOUNTED = 'uncounted ';
const REMOVED = 'before ';

/** Rule of the one entry that stands for many refusals of one kind. @param rule rule of each; empty where they differ */
export function countedTogetherRule(rule: string, count: number): string {
  return `${rule}, ${count} more within a minute`.replace(/^, /, '');
}

/** Number of refusals that an entry with this rule stands for; `undefined` for an entry of one refusal. */
export function countedTogether(rule: string): number | undefined {
  const [, , count] = COUNTED.exec(rule) ?? [];
  return count === undefined ? undefined : Number(count);
}

/** Rule of a grant whose limit could not be counted. @param limit name of the limit */
export function uncountedRule(limit: string): string {
  return `${UNCOUNTED}${limit}`;
}

/** Tests that a grant with this rule was not counted against its limits. */
export function isUncounted(rule: string): boolean {
  return rule.startsWith(UNCOUNTED);
}

/** Reason of the entry that records a removal. @param beforeTimeMs time before which entries were removed */
export function removedBeforeReason(beforeTimeMs: number): string {
  return `${REMOVED}${new Date(beforeTimeMs).toISOString()}`;
}

/** Time before which entries were removed, by the reason of the entry that records it; NaN for another text. */
export function removedBeforeMs(reason: string): number {
  return reason.startsWith(REMOVED) ? Date.parse(reason.slice(REMOVED.length)) : Number.NaN;
}
