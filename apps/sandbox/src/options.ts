import { parseArgs } from 'node:util';
import { EXIT } from '@callpass/program';

/** Options of the sandbox. */
export interface SandboxOptions {
  readonly readyFile: string | undefined;
  readonly ports: Ports;
  readonly expirySeconds: number;
  /** Origins of other pages that the edge lets ask. */
  readonly origins: readonly string[];
}

/** A port for each address; 0 takes a free one. */
export type Ports = typeof FIXED_PORTS;

const FIXED_PORTS = { grpc: 50_051, edge: 7080, gateway: 7090, telemetry: 7318, metrics: 9464 };
const FREE_PORTS: Ports = { grpc: 0, edge: 0, gateway: 0, telemetry: 0, metrics: 0 };
const MAX_EXPIRY_SECONDS = 86_400;

const USAGE = `Usage: npm start -- [--ready-file FILE] [--ports auto|fixed] [--expiry SECONDS] [--allow-origin ORIGIN]

  --ready-file FILE      write the addresses, destinations and realms as JSON when everything is ready
  --ports auto           use free ports instead of ${Object.values(FIXED_PORTS).join(', ')}
  --expiry SECONDS       lifetime of the realms' tokens, 1 to ${MAX_EXPIRY_SECONDS}; default 600
  --allow-origin ORIGIN  allow the pages of an origin to use the edge, such as http://localhost:5173; repeatable
`;

/** Reads the command line; says how to use it and ends the process where that is wrong. */
export function readOptions(): SandboxOptions {
  try {
    const { values } = parseArgs({
      options: {
        'ready-file': { type: 'string' },
        ports: { type: 'string', default: 'fixed' },
        expiry: { type: 'string', default: '600' },
        'allow-origin': { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(EXIT.done);
    }
    if (values.ports !== 'auto' && values.ports !== 'fixed') throw new Error('--ports must be auto or fixed');
    return {
      readyFile: values['ready-file'],
      ports: values.ports === 'auto' ? FREE_PORTS : FIXED_PORTS,
      expirySeconds: readExpiry(values.expiry),
      origins: values['allow-origin'],
    };
  } catch (error) {
    process.stderr.write(`callpass-sandbox: ${(error as Error).message}\n\n${USAGE}`);
    process.exit(EXIT.wrongUse);
  }
}

function readExpiry(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_EXPIRY_SECONDS) return seconds;
  throw new Error(`--expiry must be 1 to ${MAX_EXPIRY_SECONDS} seconds`);
}
