import { createLog, loadEdgeSettings, startEdge } from '@callpass/edge';
import { reportReady, stopOnSignal } from '@callpass/program';
import staticFiles from '@fastify/static';
import { contentSecurityPolicy, type PageConfig, type PageOptions } from './page-config.ts';
import { telemetry } from './telemetry.ts';

// The edge of the sandbox: the real one, with the click-to-call page beside its routes. Run by the sandbox only.

const page = JSON.parse(process.argv[2] ?? '') as PageOptions;
const settings = loadEdgeSettings({ file: undefined, environment: process.env });

const log = createLog(settings.log);
telemetry.follow(log);
const edge = await startEdge(settings, log, {
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

// What a terminal sends reaches the whole group; the parent asks for the stop when it is time.
for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP'] as const) process.on(signal, () => undefined);
stopOnSignal(log, async () => {
  await edge.stop();
  await telemetry.stop();
}, ['SIGTERM']);
log.info({ address: edge.address, service: settings.service.address }, 'serving');
reportReady({ edge: edge.address });
