import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import { EXIT, type ExitCode } from '@callpass/program';
import { parseDurationMs } from '../arguments.ts';
import type { Page } from '../output.ts';
import type { RunCommand } from '../run-command.ts';
import { openScreen, widthOf } from '../screen.ts';
import type { Session } from '../session.ts';
import { drawTop } from '../top/draw-top.ts';
import { plainTop } from '../top/plain-top.ts';
import type { TopView } from '../top/view.ts';

interface Options {
  readonly metrics?: readonly URL[];
  readonly interval: number;
  readonly once?: true;
}

/** The telemetry port of the sample settings, on this machine. */
const DEFAULT_METRICS = 'http://127.0.0.1:9464/metrics';

const SHORTEST_INTERVAL_MS = 100;

/** `callpass top`. */
export function addTopCommand(program: Command, run: RunCommand): void {
  program
    .command('top')
    .description('show rates, latency, limits, keys and instances, again and again until Ctrl-C')
    .addOption(
      new Option(
        '--metrics <url>',
        `telemetry port of an instance, repeatable; left out, ${DEFAULT_METRICS}`,
      ).argParser((text: string, before: readonly URL[] = []) => [...before, parseMetricsUrl(text)]),
    )
    .addOption(
      new Option('--interval <time>', 'time between two looks, such as 5s')
        .argParser(parseInterval)
        .default(2000, '2s'),
    )
    .option('--once', 'look twice, print what happened between, and end')
    .action((options: Options, command: Command) => run(command, (session) => top(session, options)));
}

function parseInterval(text: string): number {
  const ms = parseDurationMs(text);
  if (ms < SHORTEST_INTERVAL_MS) throw new InvalidArgumentError(`Give ${SHORTEST_INTERVAL_MS}ms or more.`);
  return ms;
}

/** Reads the address of a telemetry port; its path is `/metrics` where it has none. */
function parseMetricsUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('Give a URL without a password, such as http://127.0.0.1:9464.');
  }
  if (url.pathname === '/') url.pathname = '/metrics';
  return url;
}

async function top(session: Session, options: Options): Promise<ExitCode> {
  const { metrics = [new URL(DEFAULT_METRICS)], interval: intervalMs, once = false } = options;
  const signal = session.terminal.untilInterrupted();
  // Only now: --help should not wait for what it loads.
  const { Looker } = await import('../top/look.ts');
  const looker = new Looker(session, { metrics, intervalMs, signal });
  const look = async () => {
    const view = await looker.look();
    return signal.aborted ? undefined : view;
  };
  const next = async () => {
    await pause(intervalMs, undefined, { signal }).catch(() => undefined);
    return signal.aborted ? undefined : look();
  };
  const first = await look();
  if (once) {
    const view = await next();
    if (view === undefined) return EXIT.done;
    show(session, 'answer', view);
    return isReached(view) ? EXIT.done : EXIT.unreachable;
  }
  if (session.terminal.stdout.isTTY === true && session.output.format === 'text') {
    await follow(session, first, next);
  } else {
    for (let view = await next(); view !== undefined; view = await next()) show(session, 'item', view);
  }
  return EXIT.done;
}

async function follow(
  { terminal }: Session,
  first: TopView | undefined,
  next: () => Promise<TopView | undefined>,
): Promise<void> {
  const screen = openScreen(terminal);
  try {
    for (let view = first; view !== undefined; view = await next()) screen.show(drawTop(view, screen.width));
  } finally {
    screen.close();
  }
}

function show({ terminal, output }: Session, as: 'answer' | 'item', view: TopView): void {
  output[as](jsonOf(view), (print: Page) => {
    if (print.isTerminal) for (const line of drawTop(view, widthOf(terminal))) print.parts(line);
    else for (const row of plainTop(view)) print.row(row, []);
  });
}

/** Tells whether anything at all has answered. */
function isReached({ service, instances }: TopView): boolean {
  return !('fault' in service.health) || instances.some(({ unreached }) => unreached === undefined);
}

function jsonOf({ timeMs, intervalMs, ...view }: TopView): JsonObject {
  const time = new Date(timeMs).toISOString();
  return { time, intervalSeconds: intervalMs / 1000, ...view } as unknown as JsonObject;
}
