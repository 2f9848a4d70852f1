import { registerHooks } from 'node:module';

/**
 * Loaded before the server, whose `IssueCredentials` it makes empty: the first answer is kept and given to every later call. All
 * that stands before a handler stays as it is: what is measured is that, in the server itself.
 */
const HANDLERS = '/apps/server/dist/credentials/service.js';

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith(HANDLERS)) return nextLoad(url, context);
    return { format: 'module', shortCircuit: true, source: emptied(`${url}?whole`) };
  },
});

function emptied(url: string): string {
  return `
    import { credentialHandlers as whole } from ${JSON.stringify(url)};
    export * from ${JSON.stringify(url)};
    export function credentialHandlers(dependencies) {
      const handlers = whole(dependencies);
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
}
