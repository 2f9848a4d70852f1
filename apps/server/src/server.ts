import type { DescService } from '@bufbuild/protobuf';
import { problemLinks } from '@callpass/contract';
import { AnchorProver, KeyedHash, type Clock } from '@callpass/domain';
import {
  addService,
  assertEveryMethodHasRow,
  completeStatuses,
  createHealth,
  validation,
  warmUp,
  type ServerCall,
} from '@callpass/grpc-kit';
import { buildOf, flushCountedLines, splitHostAndPort } from '@callpass/program';
import { followGrpcLog } from '@callpass/program/grpc-log';
import { describeError, type Logger } from '@callpass/program/log';
import { lockStore, openStore, storePlace, type CommitEvent } from '@callpass/storage';
import { createInstruments, METRICS as MEASURED, serverTelemetry } from '@callpass/telemetry';
import type { Readiness } from '@callpass/telemetry-sdk';
import { Server } from '@grpc/grpc-js';
import { createAccessLog } from './access-log.ts';
import { isRecognised } from './access/connection-identity.ts';
import { openIdentity } from './access/open-identity.ts';
import { serveReflection } from './access/serve-reflection.ts';
import { adminHandlers } from './admin/service.ts';
import { startAdmission } from './admission/admission.ts';
import { admit } from './admission/admit.ts';
import { earlyRefusal } from './admission/early-refusal.ts';
import { createShedCounter, measureLoad } from './admission/metrics.ts';
import type { ClockSource } from './clock/clock-guard.ts';
import { SYSTEM_CLOCKS, watchClock } from './clock/watch-clock.ts';
import { bind } from './connections/bind.ts';
import { connectionOptions, guardConnections } from './connections/connections.ts';
import { logRefusedCertificates, measureCertificates, openTransport } from './connections/tls.ts';
import { createCredentialMetrics } from './credentials/metrics.ts';
import { credentialHandlers } from './credentials/service.ts';
import { CallsUnderWay, shutDown } from './drain.ts';
import { RefusalRecords } from './errors/refusal-records.ts';
import { createMapError, type OnFault, statusWithReason } from './errors/map-error.ts';
import { buildHeader } from './health/build-header.ts';
import { openRules } from './gateway/open-rules.ts';
import { gatewayHandlers } from './gateway/service.ts';
import { HealthWatch } from './health/health-watch.ts';
import { measureHealth } from './health/metrics.ts';
import { LedgerHealth } from './health/ledger-health.ts';
import { logFailedCommits } from './ledger/log-commits.ts';
import { logMigrated } from './state/log-migrated.ts';
import { createLedgerMetrics, measureDisk } from './ledger/metrics.ts';
import { startUpkeep } from './ledger/upkeep.ts';
import { ledgerHandlers } from './ledger/service.ts';
import { countsAlone, openLimiter } from './limits/open-limiter.ts';
import { ALL_SERVICES, METHODS, SERVICES } from './methods.ts';
import { Running } from './running.ts';
import { measureProcess } from './process-metrics.ts';
import { loadKeyEncryptionKey } from './settings/key-encryption.ts';
import { assertTransportSafe } from './settings/listen-address.ts';
import type { Settings } from './settings/schema.ts';
import { CurrentState } from './state/current-state.ts';
import { logStateEvents } from './state/log-events.ts';
import { measureState } from './state/metrics.ts';

/** A server that serves. */
export interface RunningServer {
  /** host:port as it is bound. */
  readonly address: string;
  /** Revision of the configuration in force at its start. */
  readonly revision: number;
  /** Expiry of the certificate that is served now; `undefined` in plain text. */
  certificateExpiry(): { readonly notAfterMs: number } | undefined;
  /** Readiness to take calls now, and the state of each thing that it depends on. */
  readiness(): Readiness;
  /**
   * Drains and stops: health says NOT_SERVING, connections get GOAWAY, requests under way may end within the grace time,
   * what is left is cut off. Calling it again joins the first call.
   */
  stop(): Promise<void>;
}

const systemClock: Clock = { now: () => Date.now() };

/**
 * Builds the server from its settings and starts it: opens what it works with, registers the services, listens.
 *
 * @param clock gives the time of tokens and records.
 * @param clockSource shows by how far the wall clock can be trusted.
 * @throws {SettingsError | StoreError} with a text for the operator when it cannot start; then nothing is left running.
 */
export async function startServer(
  settings: Settings,
  log: Logger,
  clock: Clock = systemClock,
  clockSource: ClockSource = SYSTEM_CLOCKS,
): Promise<RunningServer> {
  const running = new Running();
  followGrpcLog(log);
  try {
    const opened = await open({ settings, log, clock, clockSource, running });
    return await listen(opened, registerServices(opened));
  } catch (error) {
    await running.disposeAsync();
    throw error;
  }
}

/** Opens what the server works with, checks first: from the settings to the state that is in force. */
async function open(given: {
  settings: Settings;
  log: Logger;
  clock: Clock;
  clockSource: ClockSource;
  /** Takes what has to be stopped, the last first: at the end, or when the start fails. */
  running: Running;
}) {
  const { settings, log, clock, clockSource, running } = given;
  assertTransportSafe(settings);
  const sealKey = loadKeyEncryptionKey(settings);
  const { url, migrateOnStart, pollInterval, maxSnapshotAge, reserveBytes } = settings.store;
  running.adopt(await lockStore(url, countsAlone(settings) ? 'alone' : 'shared'), (lock) => {
    lock.release();
  });
  const transport = running.adopt(openTransport(settings, log), (opened) => {
    opened.stop();
  });
  const make = createInstruments();
  const measureCommit = createLedgerMetrics(make);
  const logCommit = logFailedCommits(log, storePlace(url));
  const ledger = new LedgerHealth(() => performance.now());
  const onShed = createShedCounter(make);
  const onEvent = (event: CommitEvent) => {
    measureCommit(event);
    logCommit(event);
    ledger.note(event);
    if (event.kind === 'refused' && event.why === 'full') onShed('ISSUE', 'queue');
  };
  const store = running.adopt(
    await openStore({
      ...{ url, sealKey, onEvent, limits: { reserveBytes } },
      ...{ migrate: migrateOnStart, onMigrated: logMigrated(log, url) },
    }),
    (opened) => opened.close(),
  );
  const state = await CurrentState.follow(store, {
    pollIntervalMs: pollInterval,
    maxAgeMs: maxSnapshotAge,
    operators: settings.access.operators,
    events: logStateEvents(log),
  });
  running.defer(() => {
    state.stop();
  });
  const { limiter } = running.adopt(
    await openLimiter(settings, { log, make, clock, store, state }),
    (opened) => {
      opened.close();
    },
  );
  const trustedClock = await watchClock(settings, { source: clockSource, store, log, make });
  running.defer(() => {
    trustedClock.stop();
  });
  const admission = running.adopt(startAdmission(settings, log, onShed), (started) => {
    started.stop();
  });
  const refusals = running.adopt(new RefusalRecords({ state, store, clock, log }), (records) =>
    records.flush(),
  );
  const identity = running.adopt(
    await openIdentity(settings, { state, store, clock, refusals, log }),
    (opened) => opened.stop(),
  );
  const rules = await openRules(settings, { log, clock, running, secret: store.ledgerSecret });
  return {
    settings,
    log,
    clock,
    running,
    make,
    transport,
    ledger,
    store,
    state,
    limiter,
    trustedClock,
    admission,
    onShed,
    refusals,
    identity,
    rules,
    linkTo: problemLinks(settings.documentationUrl),
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Makes the gRPC server, with every service, the way that each call takes to it, and what is measured. */
function registerServices(opened: Opened) {
  const { settings, log, clock, make, store, state, limiter, trustedClock } = opened;
  const { admission, refusals, identity, rules, linkTo } = opened;
  const onFault: OnFault = ({ error, method, traceId }) => {
    log.error({ method, traceId, error: describeError(error) }, 'fault');
  };
  const services = [...Object.values(SERVICES), ...(rules ? [ALL_SERVICES.gateway] : [])];
  const health = createHealth(services, buildHeader(buildOf(import.meta.url)));
  const watch = opened.running.adopt(
    new HealthWatch({
      ...{ health, log, state, store, limiter, authorizes: rules !== undefined },
      ...{ ledger: opened.ledger, clock: trustedClock },
    }),
    (watching) => {
      watching.stop();
    },
  );
  const dependencies = {
    health: watch,
    trustedClock,
    state,
    store,
    clock,
    limiter,
    refusals,
    keyedHash: new KeyedHash(store.ledgerSecret),
    anchors: new AnchorProver(store.ledgerSecret),
    metrics: createCredentialMetrics(make),
    ...{ onFault, onShed: opened.onShed, admission, linkTo },
  };
  const accessLog = createAccessLog(settings, log);
  opened.running.adopt(startUpkeep(settings, { ...dependencies, log }), (upkeep) => upkeep.stop());
  assertEveryMethodHasRow(Object.values(ALL_SERVICES), METHODS);
  warmUp(services);
  measure(opened);
  const server = new Server({
    ...connectionOptions(settings),
    interceptors: [completeStatuses(statusWithReason(linkTo))],
  });
  const mapError = createMapError(dependencies);
  const underWay = new CallsUnderWay();
  const options = {
    interceptors: [
      serverTelemetry<ServerCall>({
        ...telemetryAddress(settings.listen.address),
        ...(settings.telemetry.trustTraceparentOf === 'clients' && {
          trustsParent: (call) => identity.recognises(call),
        }),
      }),
      ...accessLog.interceptors,
      underWay.interceptor,
      admit(admission, METHODS, {
        maxCallMs: settings.overload.maxCallTime,
        maxCallsPerConnection: settings.connections.maxConcurrentStreams,
      }),
      identity.interceptor,
      validation(),
    ],
    mapError,
  };
  addService(server, SERVICES.credentials, credentialHandlers(dependencies), options);
  addService(server, SERVICES.admin, adminHandlers(dependencies), options);
  addService(server, SERVICES.ledger, ledgerHandlers(dependencies), options);
  if (rules) addService(server, ALL_SERVICES.gateway, gatewayHandlers({ ...dependencies, rules }), options);
  const forTools = { interceptors: [underWay.interceptor, identity.interceptor], mapError };
  health.addTo(server, forTools);
  const described: readonly DescService[] = [...services, ALL_SERVICES.health];
  if (!settings.reflection) return { server, health, watch, underWay, served: described };
  serveReflection(server, described, forTools);
  const { reflection, reflectionV1Alpha } = ALL_SERVICES;
  return { server, health, watch, underWay, served: [...described, reflection, reflectionV1Alpha] };
}

function measure({ settings, clock, running, make, transport, store, state, admission }: Opened): void {
  measureState(make, state, { rotateAfterMs: settings.keys.rotateAfter, now: () => clock.now() });
  measureLoad(make, admission);
  measureDisk(make, settings);
  make.gauge(MEASURED.ledgerQueued, () => store.queuedEntries);
  measureCertificates(make, transport);
  running.defer(measureProcess(make, buildOf(import.meta.url).version));
}

/** Binds the address once what the server works with has answered, and takes calls. */
async function listen(
  opened: Opened,
  { server, health, watch, underWay, served }: ReturnType<typeof registerServices>,
): Promise<RunningServer> {
  const { settings, log, running, make, transport, state, linkTo } = opened;
  await watch.warmUp();
  const address = await bind(server, settings.listen, transport.credentials);
  running.defer(
    guardConnections(server, settings, {
      log,
      make,
      services: served,
      methods: METHODS,
      linkTo,
      admit: earlyRefusal(opened.admission, METHODS, linkTo),
      isRecognised,
      onShed: opened.onShed,
      cutOff: (peer) => underWay.cutOff(peer),
    }),
  );
  logRefusedCertificates(server, log);
  watch.start();
  measureHealth(make, watch);
  const { plaintextEncryptedBy } = settings.listen;
  if (plaintextEncryptedBy !== undefined)
    log.warn(
      { address, plaintextEncryptedBy },
      'plain text: what crosses the network is encrypted by others',
    );

  let stopping: Promise<void> | undefined;
  return {
    address,
    revision: state.snapshot.revision,
    certificateExpiry: () => transport.certificateExpiry(),
    readiness: () => watch.readiness(),
    stop() {
      watch.drain();
      const graceMs = settings.drain.grace;
      return (stopping ??= shutDown({ server, health, underWay, graceMs, log }).then(async () => {
        await running.disposeAsync();
        flushCountedLines();
        log.info('stopped');
      }));
    },
  };
}

/** Address in the settings, for the spans: the port that a 0 becomes says nothing to a reader. */
function telemetryAddress(address: string): { serverAddress: string; serverPort: number } {
  const { host, port } = splitHostAndPort(address);
  return { serverAddress: host, serverPort: port };
}
