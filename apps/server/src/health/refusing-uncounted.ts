import { limitGap, type Configuration, type Destination } from '@callpass/domain';

/**
 * Whether nobody gets credentials while limits cannot be counted: each destination that is enabled has a limit that applies
 * to every request there, is enforced, and says to refuse then. A service without destinations refuses nobody for that.
 */
export function allRefuseUncounted({ destinations }: Pick<Configuration, 'destinations'>): boolean {
  const enabled = destinations.filter((destination) => destination.enabled);
  return enabled.length > 0 && enabled.every(refusesUncounted);
}

function refusesUncounted(destination: Destination): boolean {
  return destination.limits.some(
    ({ shadow, whenUnavailable, per }) =>
      !shadow && whenUnavailable === 'REFUSE' && limitGap(per, destination) === undefined,
  );
}
