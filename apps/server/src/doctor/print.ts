import { styleText } from 'node:util';
import type { Finding, FindingState } from './finding.ts';

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red', skipped: 'dim' } as const;
const WIDTH = Math.max(...Object.keys(COLOURS).map((state) => state.length));

/** The findings for a person, each with what to do. */
export function printFindings(findings: readonly Finding[], colours: boolean): string {
  const paint = (state: FindingState) =>
    colours ? styleText(COLOURS[state], state.padEnd(WIDTH), { validateStream: false }) : state.padEnd(WIDTH);
  const checkWidth = Math.max(0, ...findings.map(({ check }) => check.length));
  const indent = ' '.repeat(WIDTH + checkWidth + 4);
  return findings
    .flatMap(({ check, state, finding, advice }) => [
      `${paint(state)}  ${check.padEnd(checkWidth)}  ${finding.replaceAll('\n', `\n${indent}`)}`,
      ...(advice === '' ? [] : [`${indent}-> ${advice}`]),
    ])
    .map((line) => `${line}\n`)
    .join('');
}
