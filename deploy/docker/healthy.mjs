// `node healthy.mjs URL`: ends with 0 when the URL answers with 200 in time. For HEALTHCHECK, where there is no curl.
import { get } from 'node:http';

const request = get(process.argv[2], { timeout: 2000 }, ({ statusCode }) => {
  process.exit(statusCode === 200 ? 0 : 1);
});
request.on('timeout', () => request.destroy());
request.on('error', () => process.exit(1));
