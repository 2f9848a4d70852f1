/** How it stands with something: fine, to be seen to soon, to be seen to now, or not looked at for another problem. */
export type FindingState = 'ok' | 'warning' | 'problem' | 'skipped';

/** What the doctor found out about one thing. Holds no secret: it is pasted into tickets. */
export interface Finding {
  /** What was looked at. */
  readonly check: string;
  readonly state: FindingState;
  readonly finding: string;
  /** What to do; empty when fine. */
  readonly advice: string;
}

/** All is well. */
export const ok = (check: string, finding: string): Finding => ({ check, state: 'ok', finding, advice: '' });

/** Works now, and will not for long. */
export const warning = (check: string, finding: string, advice: string): Finding => ({
  check,
  state: 'warning',
  finding,
  advice,
});

/** Does not work. */
export const problem = (check: string, finding: string, advice: string): Finding => ({
  check,
  state: 'problem',
  finding,
  advice,
});

/** Could not be looked at. */
export const skipped = (check: string, why: string): Finding => ({
  check,
  state: 'skipped',
  finding: why,
  advice: '',
});
