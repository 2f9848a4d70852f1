import type { ProblemLink } from '@callpass/contract';
import { prepareRefusal, type MethodsTable, type PreparedRefusal } from '@callpass/grpc-kit';
import { refusalToError } from '../errors/map-error.ts';
import { Refusal } from '../errors/refusal.ts';
import type { LoadClass, MethodRow } from '../methods.ts';
import type { Admission } from './admission.ts';

const STEP_MS = 100;

/** Refusals a second that go the whole way, so that an overload shows in traces too. */
const TRACED_PER_SECOND = 20;

/**
 * Says no to a call on its headers alone while too many of its class are under way; for `screenCalls` of the kit. Answers
 * are encoded once for each delay that they ask for. {@link admit} is what decides on all the others.
 */
export function earlyRefusal(
  admission: Admission,
  methods: MethodsTable<MethodRow>,
  linkTo: ProblemLink,
  /** Milliseconds of a monotonic clock. */
  nowMs: () => number = () => performance.now(),
): (path: string) => PreparedRefusal | undefined {
  const classes = new Map<string, LoadClass>();
  for (const [name, { load }] of methods.entries()) classes.set(`/${name}`, load);
  const prepared = new Map<number, PreparedRefusal>();
  let traced = 0;
  let second = 0;

  const isTraced = () => {
    const thisSecond = Math.floor(nowMs() / 1000);
    if (thisSecond !== second) {
      second = thisSecond;
      traced = 0;
    }
    return traced++ < TRACED_PER_SECOND;
  };

  const isLetThrough = (load: LoadClass) => {
    // One that is let through only to be refused where it is seen must not keep a place from another.
    if (admission.isFull(load)) return isTraced();
    admission.announce(load);
    return true;
  };

  return (path) => {
    const load = classes.get(path);
    if (load === undefined || isLetThrough(load)) return undefined;
    admission.countRefused(load);
    const steps = Math.ceil(admission.retryAfterMs(load) / STEP_MS);
    let refusal = prepared.get(steps);
    if (refusal === undefined) {
      const overloaded = new Refusal('OVERLOADED', { retryAfterMs: steps * STEP_MS });
      refusal = prepareRefusal(refusalToError(overloaded, linkTo));
      prepared.set(steps, refusal);
    }
    return refusal;
  };
}
