import { setTimeout as pause } from 'node:timers/promises';
import { createCredentialClient, type CredentialClient } from '@callpass/client';

/** Observations of a well-behaved client beside hostile ones. */
export interface Sights {
  /** Credentials granted on a connection that was there before, and on new ones. */
  readonly granted: { old: number; new: number };
  /** Calls that failed, with why. */
  readonly failed: string[];
  slowestMs: number;
}

const PACE_MS = 20;
const NEWCOMER_EVERY = 25;

/** Asks for credentials of destination `d` all the time, without ever asking again for what failed. */
export function startBystander(address: string): { readonly sights: Sights; stop(): Promise<Sights> } {
  const sights: Sights = { granted: { old: 0, new: 0 }, failed: [], slowestMs: 0 };
  const client = createCredentialClient({ address, retry: false });
  let going = true;
  const issue = async (from: CredentialClient, kind: 'old' | 'new') => {
    const start = performance.now();
    try {
      await from.issueCredentials({ destination: 'd' });
      sights.granted[kind]++;
      sights.slowestMs = Math.max(sights.slowestMs, performance.now() - start);
    } catch (error) {
      sights.failed.push(`${kind}: ${String(error)}`);
    }
  };
  const running = (async () => {
    for (let calls = 1; going; calls++) {
      await issue(client, 'old');
      if (calls % NEWCOMER_EVERY === 0) {
        const newcomer = createCredentialClient({ address, retry: false });
        await issue(newcomer, 'new');
        newcomer.close();
      }
      await pause(PACE_MS);
    }
    client.close();
  })();
  return {
    sights,
    async stop() {
      going = false;
      await running;
      return sights;
    },
  };
}
