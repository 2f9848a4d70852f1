// Import this before anything that does work: it keeps `process.nextTick` fast for the life of a process that serves.
//
// `process.nextTick` makes an object with computed keys. V8 forgets the shape of such a literal at a garbage collection that finds
// no object of it, and the code of the literal then takes it for one that has many shapes: each call takes 0.7 us instead of
// 0.06 us, for good. A gRPC call makes nine of them. As long as one object is kept, so is its shape.
import { createHook } from 'node:async_hooks';

/** Property of the global object that keeps it: a bundler would drop a variable that nobody reads. */
const KEPT = Symbol.for('callpass.keptTick');

const hook = createHook({
  init(_asyncId, type, _triggerAsyncId, resource) {
    if (type === 'TickObject') Reflect.set(globalThis, KEPT, resource);
  },
});
hook.enable();
process.nextTick(() => undefined);
hook.disable();

/** Gives the object of `process.nextTick` that is kept; undefined if Node names them otherwise. */
export function keptTick(): unknown {
  return Reflect.get(globalThis, KEPT);
}
