import { createHook } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { keptTick } from './keep-tick-shape.ts';

it('keeps the shape of the objects of process.nextTick over garbage collections, so that making them stays fast', () => {
  setFlagsFromString('--allow-natives-syntax');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const haveSameShape = runInNewContext('(one, other) => %HaveSameMap(one, other)') as (
    one: unknown,
    other: unknown,
  ) => boolean;
  collect();
  collect();
  let tick: object | undefined;
  const hook = createHook({
    init: (_asyncId, type, _trigger, resource) => void (type === 'TickObject' && (tick = resource)),
  });
  hook.enable();
  process.nextTick(() => undefined);
  hook.disable();
  expect(keptTick()).toBeDefined();
  expect(haveSameShape(keptTick(), tick)).toBe(true);
});
