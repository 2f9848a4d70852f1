import { startSource } from '../servers/child-process.ts';
import type { LoadGenerator } from './generator.ts';
import type { LoadOrder, LoadReport } from './load-process.ts';

/** Our own generator, in a process of its own, so that it does not share a thread with anything. */
export function startOwnGenerator(): LoadGenerator {
  const child = startSource(new URL('./load-process.ts', import.meta.url));
  return {
    name: "callpass's own",
    async run(address, { path, message, tls }, shape) {
      const target = { address, path, tls, message: Buffer.from(message).toString('base64') };
      child.process.send({ target, shape } satisfies LoadOrder);
      const report = (await child.message()) as LoadReport;
      if ('error' in report) throw new Error(report.error);
      return report.result;
    },
    cpuSeconds: () => child.cpuSeconds(),
    stop: () => child.stop(),
  };
}
