import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import Runtime from 'jest-runtime';

// Test files are loaded as the product is: by Node, as native modules, TypeScript included. Jest's own runtime loads, links and
// compiles all modules anew for each file, which took more than half of the processor time of all tests.

const require = createRequire(import.meta.url);

const GLOBALS = 'jest:globals';
const NAMES = [
  'describe',
  'it',
  'test',
  'beforeAll',
  'beforeEach',
  'afterAll',
  'afterEach',
  'expect',
  'jest',
];
/** Names of the symbols under which Jest keeps the state of a file on the global object. */
const STATE = ['JEST_STATE_SYMBOL', 'EVENT_HANDLERS'];

let conditions = [];
/** Functions of the file that runs. Suites that several files share import them once, so they get stand-ins. */
let current = {};
const standIns = Object.fromEntries(
  NAMES.map((name) => [
    name,
    new Proxy(() => undefined, {
      apply: (_standIn, _this, args) => current[name](...args),
      get: (_standIn, property) => current[name][property],
    }),
  ]),
);
globalThis[Symbol.for(GLOBALS)] = standIns;

/** Addresses of the modules that a file imports while Jest watches: all that is not a library is loaded anew, it may have changed. */
const anew = (url, parent) => {
  const run = new URL(parent ?? url).searchParams.get('run');
  return run && url.startsWith('file:') && !url.includes('/node_modules/') ? `${url}?run=${run}` : url;
};

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === '@jest/globals') return { url: GLOBALS, format: 'module', shortCircuit: true };
    const resolved = next(
      specifier,
      conditions.length > 0 ? { ...context, conditions: [...conditions, ...context.conditions] } : context,
    );
    return { ...resolved, url: anew(resolved.url, context.parentURL) };
  },
  load(url, context, next) {
    if (url !== GLOBALS) return next(url, context);
    const source = `export const { ${NAMES.join(', ')} } = globalThis[Symbol.for('${GLOBALS}')];`;
    return { source, format: 'module', shortCircuit: true };
  },
});

let runs = 0;

class NativeRuntime extends Runtime {
  #testPath;
  #isWatching;

  constructor(...args) {
    super(...args);
    const [, environment, , , , , testPath, globalConfig] = args;
    conditions = environment.exportConditions();
    this.#testPath = testPath;
    this.#isWatching = globalConfig.watch || globalConfig.watchAll;
    runs++;
  }

  setGlobalsForRuntime(globals) {
    super.setGlobalsForRuntime(globals);
    current = { ...globals, jest: this.jestGlobals.jestObjectFor(this.#testPath) };
  }

  /** Loads the framework anew: its state is that of one file. */
  requireInternalModule(path) {
    delete require.cache[path];
    for (const symbol of Object.getOwnPropertySymbols(globalThis))
      if (STATE.includes(symbol.description)) delete globalThis[symbol];
    return require(path);
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  unstable_importModule(path) {
    const { href } = pathToFileURL(path);
    return import(this.#isWatching ? `${href}?run=${runs}` : href);
  }
}

export { NativeRuntime as 'module.exports' };
