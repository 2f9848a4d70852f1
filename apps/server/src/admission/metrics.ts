import { METRICS, SHED_CAUSES, type Instruments, type Reading, type ShedCause } from '@callpass/telemetry';
import type { LoadClass } from '../methods.ts';
import type { Admission } from './admission.ts';

const CLASSES: readonly LoadClass[] = ['ISSUE', 'VALIDATE', 'OPERATE'];

/** Counts requests that are refused for load, by admission or before it. */
export function createShedCounter(make: Instruments): (loadClass: LoadClass, cause: ShedCause) => void {
  const shed = make.counter(METRICS.requestsShed);
  // From the start at zero: a rate is of a rise, and the first of all would not be one.
  for (const loadClass of CLASSES) for (const cause of SHED_CAUSES) shed(loadClass, cause);
  return (loadClass, cause) => {
    shed(loadClass, cause).add();
  };
}

/** Measures what is under way. */
export function measureLoad(make: Instruments, admission: Pick<Admission, 'underWay'>): void {
  make.gauge(METRICS.requestsActive, () =>
    CLASSES.map((loadClass): Reading => [admission.underWay(loadClass), loadClass]),
  );
}
