import type { Logger } from '@callpass/program/log';
import type { Settings } from '../settings/schema.ts';
import { Admission, type AdmissionEvents } from './admission.ts';
import { watchEventLoop } from './event-loop.ts';

/** The admission of a server by its settings, on the real event loop. */
export function startAdmission(
  { overload }: Settings,
  log: Logger,
  onShed: AdmissionEvents['onShed'] = () => undefined,
): Admission {
  return new Admission({
    bounds: { maxInFlight: overload.maxInFlight, maxLagMs: overload.maxEventLoopLag },
    eventLoop: watchEventLoop(),
    events: {
      onShed,
      onOverload: (overloaded) => {
        if (overloaded) log.warn('overloaded: shedding load');
        else log.info('no longer overloaded');
      },
    },
  });
}
