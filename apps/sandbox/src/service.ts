import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProgramAt } from './processes/supervised.ts';

/**
 * The real server on SQLite in a folder of its own, with a key-encryption key that nobody else knows. Who comes from this
 * machine and presents nothing may do everything, so that the command line works without an identity.
 */
export function serviceProgram(options: {
  folder: string;
  telemetry: Readonly<Record<string, string>>;
  /** Address of its metrics at the first start. */
  metrics: string;
}): ProgramAt {
  const keyEncryptionKey = randomBytes(32).toString('base64');
  return (address, metrics = options.metrics) => ({
    name: 'server',
    args: [fileURLToPath(import.meta.resolve('@callpass/server/bin')), 'serve'],
    environment: {
      ...options.telemetry,
      OTEL_SERVICE_NAME: 'callpass-server',
      CALLPASS_LISTEN_ADDRESS: address,
      CALLPASS_TELEMETRY_ADDRESS: metrics,
      CALLPASS_STORE_URL: `sqlite:${join(options.folder, 'callpass.db')}`,
      CALLPASS_KEY_ENCRYPTION_KEY: keyEncryptionKey,
      CALLPASS_ACCESS_LOCAL: 'everything',
      CALLPASS_DRAIN_GRACE: '2s',
      CALLPASS_LOG_LEVEL: process.env['CALLPASS_LOG_LEVEL'] ?? 'warn',
    },
  });
}
