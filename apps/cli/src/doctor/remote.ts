import { X509Certificate } from 'node:crypto';
import { KeyState, type RealmKey } from '@callpass/contract';
import { HealthCheckResponse_ServingStatus } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import type { CallpassError } from '@callpass/client';
import { failureOf } from '../failure.ts';
import { EXIT, isHostAndPort, ok, problem, skipped, warning, type Finding } from '@callpass/program';
import type { Session } from '../session.ts';
import { serviceName } from '../wording.ts';
import { probe, type Probe } from './probe.ts';

const DAY_MS = 86_400_000;
const CERTIFICATE_SOON_MS = 14 * DAY_MS;
const ROTATE_AFTER_MS = 365 * DAY_MS;

/** The date of an answer is cut to the second, so it is half a second old on average. */
const DATE_MIDDLE_MS = 500;
const CLOCKS_DIFFER_MS = 2000;

/** Looks at a service from where its clients are. Never rejects because of the service; that is a finding. */
export async function examineService(session: Session): Promise<readonly Finding[]> {
  const reached = await checkHealth(session);
  const own = checkOwnCertificate(session, Date.now());
  if (reached.some(({ check }) => check === 'connection')) return [...own, ...reached];
  return [...own, ...reached, ...(await checkConnection(session)), ...(await checkState(session))];
}

async function checkHealth({ health, address }: Session): Promise<readonly Finding[]> {
  try {
    const { statuses } = await health.list({});
    const away = Object.entries(statuses).filter(
      ([, { status }]) => status !== HealthCheckResponse_ServingStatus.SERVING,
    );
    if (away.length === 0) return [ok('health', `every service of ${address} serves`)];
    return away.map(([service]) =>
      problem(
        'health',
        `${serviceName(service)} does not serve`,
        'its log says why: store, keys, clock; on its machine: callpass-server doctor --settings FILE',
      ),
    );
  } catch (error) {
    const { exitCode, message } = await failureOf(error);
    if (exitCode !== EXIT.unreachable) return [problem('health', message, 'see docs/errors.md')];
    return [
      problem(
        'connection',
        message,
        'see that the server runs, that address, --ca, --cert and --key fit, and that nothing between blocks it',
      ),
    ];
  }
}

function checkOwnCertificate({ tls }: Session, nowMs: number): readonly Finding[] {
  if (tls?.cert === undefined) return [];
  const end = new X509Certificate(tls.cert).validToDate.getTime();
  return [certificateFinding('own certificate', end, nowMs)];
}

function certificateFinding(check: string, endMs: number, nowMs: number): Finding {
  const text = `runs out at ${new Date(endMs).toISOString()}, in ${Math.floor((endMs - nowMs) / DAY_MS)} days`;
  if (endMs < nowMs) return problem(check, text, 'renew it now');
  return endMs - nowMs < CERTIFICATE_SOON_MS
    ? warning(check, text, 'renew it; files are read again without a restart')
    : ok(check, text);
}

async function checkConnection({ address, tls, timeoutMs }: Session): Promise<readonly Finding[]> {
  if (!isHostAndPort(address)) return [skipped('clock', 'give --address as host:port to compare clocks')];
  let answer: Probe;
  try {
    answer = await probe(address, tls, timeoutMs);
  } catch (error) {
    return [skipped('clock', (error as Error).message)];
  }
  const { certificateEndMs, localTimeMs } = answer;
  return [
    ...(certificateEndMs === undefined
      ? []
      : [certificateFinding("the service's certificate", certificateEndMs, localTimeMs)]),
    clockFinding(answer),
  ];
}

/** Compares the clock here with the one of the service. */
export function clockFinding({ serverTimeMs, localTimeMs }: Probe): Finding {
  if (serverTimeMs === undefined) return skipped('clock', 'the service does not say its time');
  const differenceMs = localTimeMs - (serverTimeMs + DATE_MIDDLE_MS);
  const seconds = (Math.abs(differenceMs) / 1000).toFixed(1);
  if (Math.abs(differenceMs) <= CLOCKS_DIFFER_MS) return ok('clock', 'within two seconds of the clock here');
  return problem(
    'clock',
    `the service's clock is ${seconds} s ${differenceMs > 0 ? 'behind' : 'ahead of'} the one here`,
    'find out which of the two is wrong: chronyc tracking, or timedatectl',
  );
}

async function checkState({ admin, ledger }: Session): Promise<readonly Finding[]> {
  const altered = await checkAltered(ledger);
  if (altered !== undefined) return [altered];
  try {
    const [{ configuration, revision }, { realmKeys }, { freezes }] = await Promise.all([
      admin.getConfiguration({}),
      admin.listRealmKeys({ realm: '' }),
      admin.listFreezes({}),
    ]);
    const realms = configuration?.realms.map(({ name }) => name) ?? [];
    return [
      revision === undefined || revision.revision === 0
        ? problem('configuration', 'none was applied yet', 'callpass config apply -f FILE')
        : ok('configuration', `revision ${revision.revision}`),
      ...keyFindings(realms, realmKeys, Date.now()),
      freezes.length === 0
        ? ok('freezes', 'nothing is frozen')
        : warning('freezes', `${freezes.length} in force`, 'callpass freezes shows them'),
    ];
  } catch (error) {
    return [
      skipped('keys', `needs the role OPERATOR for all: ${(error as CallpassError).reason ?? 'no answer'}`),
    ];
  }
}

/** An anchor is refused where the store is not as the service left it. Who may not ask for one is not told. */
async function checkAltered(ledger: Session['ledger']): Promise<Finding | undefined> {
  try {
    await ledger.getAnchor({});
    return undefined;
  } catch (error) {
    if ((error as CallpassError).reason !== 'STATE_ALTERED') return undefined;
    return problem(
      'store',
      'somebody else has changed the store',
      'callpass ledger verify names what; docs/runbooks/CallpassStateAltered.md says what to do',
    );
  }
}

/** Looks for realms that cannot issue, and for keys that are overdue. */
export function keyFindings(
  realms: readonly string[],
  keys: readonly RealmKey[],
  nowMs: number,
): readonly Finding[] {
  const findings = realms.flatMap((realm) => {
    const active = keys.find((key) => key.realm === realm && key.state === KeyState.ACTIVE);
    if (active === undefined)
      return [
        problem(
          'keys',
          `realm ${realm} has no active key, so nothing can be issued for it`,
          `callpass key add ${realm}, type the key into the vendor's portal, callpass key activate ${realm} VERSION`,
        ),
      ];
    const since = Number(active.activateTime?.seconds ?? 0n) * 1000;
    if (nowMs - since <= ROTATE_AFTER_MS) return [];
    return [
      warning(
        'keys',
        `key ${active.version} of realm ${realm} has been in use for more than a year`,
        `callpass key plan ${realm} says how to rotate it`,
      ),
    ];
  });
  return findings.length > 0
    ? findings
    : [ok('keys', `${realms.length} realms, each with a key that is in date`)];
}
