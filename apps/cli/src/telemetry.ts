import { buildOf } from '@callpass/program';
import { startTelemetry } from '@callpass/telemetry-sdk';

/** The SDK of this process; started here, before everything else is imported. */
export const telemetry = await startTelemetry({ name: 'callpass-cli', ...buildOf(import.meta.url) });
