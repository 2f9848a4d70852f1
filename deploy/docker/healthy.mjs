// `node healthy.mjs URL`: exits with 0 if the URL returns 200 in time. For HEALTHCHECK, since the image has no curl.
import { get } from 'node:http';

const request = get(process.argv[2], { timeout: 2000 }, ({ statusCode }) => {
  process.exit(statusCode === 200 ? 0 : 1);
});
request.on('timeout', () => request.destroy());
request.on('error', () => process.exit(1));
