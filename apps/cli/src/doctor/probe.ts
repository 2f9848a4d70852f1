import { connect } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { TlsOptions } from '@callpass/client';

/** Facts about a connection besides the answers of RPCs. */
export interface Probe {
  /** The clock of the service, cut to the second; `undefined` when its answer has no date. */
  readonly serverTimeMs: number | undefined;
  /** The clock here, when the answer came. */
  readonly localTimeMs: number;
  /** Expiry of the service's certificate; `undefined` in plain text. */
  readonly certificateEndMs: number | undefined;
}

/** Opens a connection of its own to `host:port` and asks for nothing in particular; any answer has a date. */
export function probe(address: string, tls: TlsOptions | undefined, timeoutMs: number): Promise<Probe> {
  return new Promise((resolve, reject) => {
    const session =
      tls === undefined ? connect(`http://${address}`) : connect(`https://${address}`, secure(tls));
    const end = (finish: () => void) => {
      clearTimeout(timer);
      session.destroy();
      finish();
    };
    const timer = setTimeout(() => {
      end(() => {
        reject(new Error('no answer in time'));
      });
    }, timeoutMs);
    session.on('error', (error: Error) => {
      end(() => {
        reject(error);
      });
    });
    session.on('connect', () => {
      const request = session.request({
        ':method': 'POST',
        ':path': '/grpc.health.v1.Health/Check',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      request.on('error', () => undefined);
      request.on('response', ({ date }) => {
        const socket = session.socket as Partial<TLSSocket>;
        const serverTimeMs = Date.parse(date ?? '');
        const answer = {
          serverTimeMs: Number.isNaN(serverTimeMs) ? undefined : serverTimeMs,
          localTimeMs: Date.now(),
          certificateEndMs: tls && endOf(socket.getPeerCertificate?.()),
        };
        end(() => {
          resolve(answer);
        });
      });
      request.end(Buffer.alloc(5));
    });
  });
}

const secure = ({ ca, cert, key }: TlsOptions) => ({
  ...(ca !== undefined && { ca: Buffer.from(ca) }),
  ...(cert !== undefined && { cert: Buffer.from(cert) }),
  ...(key !== undefined && { key: Buffer.from(key) }),
});

const endOf = (certificate: { valid_to?: string } | undefined) => Date.parse(certificate?.valid_to ?? '');
