import { createLog, loadEdgeSettings, startEdge } from '@callpass/edge';
import staticFiles from '@fastify/static';
import { contentSecurityPolicy, type PageConfig, type PageOptions } from './page-config.ts';
import { telemetry } from './telemetry.ts';

// The edge of the sandbox: the real one, with the click-to-call page beside its routes. Run by the sandbox only.

const page = JSON.parse(process.argv[2] ?? '') as PageOptions;
const settings = loadEdgeSettings({ file: undefined, environment: process.env });

const edge = await startEdge(settings, createLog(settings), {
  async mount(app) {
    await app.register(staticFiles, {
      root: page.folder,
      cacheControl: false,
      setHeaders(reply) {
        void reply.header('content-security-policy', contentSecurityPolicy(page.config));
        void reply.header('x-content-type-options', 'nosniff');
        void reply.header('referrer-policy', 'no-referrer');
        void reply.header('cache-control', 'no-cache');
      },
    });
    app.get('/sandbox/config.json', (_request, reply): PageConfig => {
      void reply.header('cache-control', 'no-store');
      return { edge: edge.address, ...page.config };
    });
  },
});

let stopping = false;
const stop = () => {
  if (stopping) return;
  stopping = true;
  void edge
    .stop()
    .then(() => telemetry.stop())
    .finally(() => process.exit());
};
process.on('SIGTERM', stop);
// A terminal's Ctrl-C reaches the whole group; the parent asks for the stop when it is time.
process.on('SIGINT', () => undefined);
process.once('disconnect', stop);
process.send?.({ ready: { edge: edge.address } });
