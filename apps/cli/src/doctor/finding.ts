/** What the doctor found out about one thing: of the shape that `callpass-server doctor --output json` writes. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'problem' | 'skipped';
  readonly finding: string;
  /** What to do; empty when fine. */
  readonly advice: string;
}

/** A finding; without advice when there is nothing to do. */
export const found = (check: string, state: Finding['state'], finding: string, advice = ''): Finding => ({
  check,
  state,
  finding,
  advice,
});
