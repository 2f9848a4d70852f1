import { styleText } from 'node:util';

/** A finding of a doctor about one thing. Holds no secret: it is pasted into tickets. */
export interface Finding {
  /** The thing that was looked at. */
  readonly check: string;
  /** `ok`; `warning`: works now, and will not for long; `problem`: does not work; `skipped`: could not be looked at. */
  readonly state: 'ok' | 'warning' | 'problem' | 'skipped';
  readonly finding: string;
  /** The next step; empty where there is nothing to do. */
  readonly advice: string;
}

/** A finding that all is well. */
export const ok = (check: string, finding: string): Finding => ({ check, state: 'ok', finding, advice: '' });

/** A finding about something that works now, and will not for long. */
export const warning = (check: string, finding: string, advice: string): Finding => ({
  check,
  state: 'warning',
  finding,
  advice,
});

/** A finding about something that does not work. */
export const problem = (check: string, finding: string, advice: string): Finding => ({
  check,
  state: 'problem',
  finding,
  advice,
});

/** A finding about something that could not be looked at. */
export const skipped = (check: string, why: string): Finding => ({
  check,
  state: 'skipped',
  finding: why,
  advice: '',
});

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red', skipped: 'dim' } as const;
const STATE_WIDTH = Math.max(...Object.keys(COLOURS).map((state) => state.length));

/** Prints findings for a person, each with its advice below. */
export function printFindings(findings: readonly Finding[], colours: boolean): string {
  const paint = (state: Finding['state'], text: string) =>
    colours ? styleText(COLOURS[state], text, { validateStream: false }) : text;
  const checkWidth = Math.max(0, ...findings.map(({ check }) => check.length));
  const indent = ' '.repeat(STATE_WIDTH + checkWidth + 4);
  return findings
    .flatMap(({ check, state, finding, advice }) => [
      paint(
        state,
        `${state.padEnd(STATE_WIDTH)}  ${check.padEnd(checkWidth)}  ${finding.replaceAll('\n', `\n${indent}`)}`,
      ),
      ...(advice === '' ? [] : [`${indent}-> ${advice}`]),
    ])
    .map((line) => `${line}\n`)
    .join('');
}
