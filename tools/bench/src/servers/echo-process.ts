import { readFileSync } from 'node:fs';
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { endWithParent } from './orders.ts';

/**
 * The program of the yardstick: grpc-js and nothing else. Takes any bytes at one path and answers with so many others.
 * Arguments: path, bytes of an answer; with TLS also the files of certificate, key and authority.
 */
const [path = '', responseBytes = '', ...tlsFiles] = process.argv.slice(2);
const answer = Buffer.alloc(Number(responseBytes), 1);
const untouched = (bytes: Buffer): Buffer => bytes;

const server = new Server();
server.addService(
  {
    echo: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: untouched,
      requestDeserialize: untouched,
      responseSerialize: untouched,
      responseDeserialize: untouched,
    },
  },
  {
    echo: (_call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>) => respond(null, answer),
  },
);
const [cert_chain, private_key, ca] = tlsFiles.map((name) => readFileSync(name));
const credentials =
  cert_chain && private_key && ca
    ? ServerCredentials.createSsl(ca, [{ cert_chain, private_key }], true)
    : ServerCredentials.createInsecure();
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) throw error;
  process.send?.({ ready: `127.0.0.1:${port}` });
});
endWithParent();
