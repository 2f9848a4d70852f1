import { STEPS, type Fault, type Step } from './fault.ts';
import type { CallState } from './state.ts';

/** State of a step. `stopped`: the visitor gave up during it. */
export type StepStatus = 'pending' | 'running' | 'done' | 'failed' | 'stopped';

/** A step of the call that is under way or was the last. */
export interface StepRow {
  readonly step: Step;
  readonly status: StepStatus;
}

/** The steps before the first call. */
export const noSteps: readonly StepRow[] = rowsAt(undefined, 'pending');

/** The steps after a change of the call's state; `before` are the steps until then. */
export function stepsAfter(before: readonly StepRow[], state: CallState): readonly StepRow[] {
  switch (state.kind) {
    case 'idle':
      return before;
    case 'microphone-asked':
      return rowsAt('microphone', 'running');
    case 'asking':
      return rowsAt('credentials', 'running');
    case 'connecting':
      return rowsAt(state.step ?? 'subscription', 'running');
    case 'ringing':
      return rowsAt('audio', 'running');
    case 'connected':
      return rowsAt('audio', 'done');
    case 'ended':
      return before.map((row) => (row.status === 'running' ? { ...row, status: 'stopped' } : row));
    case 'failed':
      return state.fault === undefined ? before : rowsAt(stepOf(state.fault), 'failed');
  }
}

function stepOf({ at }: Fault): Step | undefined {
  return at === 'page' ? undefined : at;
}

/** All steps before `step` are done, those after it pending. */
function rowsAt(step: Step | undefined, status: StepStatus): StepRow[] {
  const reached = step === undefined ? -1 : STEPS.indexOf(step);
  return STEPS.map((name, index) => {
    if (index === reached) return { step: name, status };
    return { step: name, status: index < reached ? 'done' : 'pending' };
  });
}
