import { buildOf } from '@callpass/program';
import { startTelemetry } from '@callpass/telemetry-sdk';

/** The SDK of the edge's process; started here, before everything else is imported. */
export const telemetry = await startTelemetry({
  name: 'callpass-edge',
  ...buildOf(new URL('..', import.meta.url).href),
});
