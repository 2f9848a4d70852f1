import { buildOf } from '@callpass/program';
import { startTelemetry } from '@callpass/telemetry-sdk';

/** The SDK of this process; it starts when this file is imported. */
export const telemetry = await startTelemetry({ name: 'callpass-cli', ...buildOf(import.meta.url) });
