import type { Clock } from '@callpass/domain';
import type { Logger } from '@callpass/program/log';
import { openSessions } from '@callpass/program/sessions';
import { createSingleUse, type GatewayRules } from '@callpass/token-core/gateway';
import type { Settings } from '../settings/schema.ts';

/** Parts that the rules work with. */
export interface RulesParts {
  readonly log: Logger;
  readonly clock: Clock;
  /** Key of the names of used tokens: the same at all servers of a store. */
  readonly secret: Uint8Array;
  /** Takes what has to be closed at the end. */
  readonly running: { defer(close: () => void): void };
}

/** Rules of the door that the settings ask for; undefined where it is off. */
export async function openRules(
  { authorize: { enabled, callStart, singleUse } }: Pick<Settings, 'authorize'>,
  { log, clock, secret, running }: RulesParts,
): Promise<GatewayRules | undefined> {
  if (!enabled) return undefined;
  const store = await openSessions(singleUse, log, 'callpass');
  if (store === undefined) return { callStart };
  store.connect();
  running.defer(() => {
    store.close();
  });
  const { whenUnavailable } = singleUse;
  const claim = store.claim.bind(store);
  return {
    callStart,
    singleUse: createSingleUse({ claim, secret, whenUnavailable, nowMs: () => clock.now() }),
  };
}
