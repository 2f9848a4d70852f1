// `node healthy.mjs URL`: ends with 0 when the URL answers with 2xx in time. For HEALTHCHECK, where there is no curl.
const { ok } = await fetch(process.argv[2], { signal: AbortSignal.timeout(2000) }).catch(() => ({
  ok: false,
}));
process.exit(ok ? 0 : 1);
