import type { AddressInfo } from 'node:net';
import express from 'express';
import { encryptEcbStraightforwardly } from '../straightforward-encryption.ts';
import { endWithParent } from './orders.ts';

/**
 * The program of the edge's yardstick: a token server as a team would write it with Express, tokens made in its own process
 * with a key from its own configuration, and CORS for the page. No moderation, no limits, no record, no telemetry.
 */
const [key = ''] = process.argv.slice(2);

const app = express();
app.use((_request, response, next) => {
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader(
    'Access-Control-Allow-Headers',
    'Origin, X-Requested-With, Content-Type, Cache-Control, Accept',
  );
  next();
});
app.get('/callparameters', (_request, response) => {
  const [caller, callee] = ['anonymous@kandy.example', 'support@kandy.example'];
  const call = { account: caller, from: `sip:${caller}`, to: `sip:${callee}`, timestampMs: Date.now() };
  const [accountToken, fromToken, toToken] = encryptEcbStraightforwardly(key, call);
  response.json({ realm: 'bench.example', accountToken, fromToken, toToken, caller, callee });
});
const server = app.listen(0, '127.0.0.1', () => {
  process.send?.({ ready: (server.address() as AddressInfo).port });
});
endWithParent();
