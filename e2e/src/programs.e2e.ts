import { scriptOf } from '@callpass/testkit/programs';
import { expect, it } from '@jest/globals';
import { run } from './processes.ts';

/** Loaded before a program: says at its end which modules it has loaded, in their order, and whether it keeps the object. */
const WATCH = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({
    load(url, context, nextLoad) {
      if (url.startsWith('file:')) loaded.push(url);
      return nextLoad(url, context);
    },
  });
  process.on('exit', () => {
    const keeps = typeof globalThis[Symbol.for('callpass.keptTick')] === 'object';
    process.stdout.write(JSON.stringify({ loaded, keeps }));
  });
`;

it.each(['server', 'edge'] as const)(
  'the %s as images have it keeps an object of process.nextTick, before it loads anything else: without it each call costs more',
  async (name) => {
    const watch = `--import=data:text/javascript,${encodeURIComponent(WATCH)}`;
    const { stdout } = await run('node', [watch, scriptOf(name), '--version']);
    const { loaded, keeps } = JSON.parse(stdout.split('\n').at(-1) ?? '') as {
      loaded: readonly string[];
      keeps: boolean;
    };
    expect(keeps).toBe(true);
    expect(loaded[0]).toMatch(/\/bin\/callpass-\w+\.js$/);
    expect(loaded[1]).toMatch(/\/dist\/keep-tick-shape\.js$/);
  },
);
