/** Absolute URI that identifies a reason: the `type` of a problem (RFC 9457), and the link of `google.rpc.Help`. */
export type ProblemLink = (reason: string, page?: string) => string;

/** Page of the documentation that has a section for each reason of the service, below the root of the documentation. */
const SERVICE_PAGE = 'docs/errors.md';

/**
 * Links for the reasons of one program: sections of the pages below `documentationUrl`, or names of the form
 * `urn:callpass:problem:REASON` where the documentation is served nowhere.
 *
 * @example
 * ```ts
 * problemLinks()('FROZEN'); // urn:callpass:problem:FROZEN
 * problemLinks('https://git.example/callpass/')('FROZEN'); // https://git.example/callpass/docs/errors.md#frozen
 * ```
 */
export function problemLinks(documentationUrl?: string): ProblemLink {
  if (documentationUrl === undefined) return (reason) => `urn:callpass:problem:${reason}`;
  const root = documentationUrl.replace(/\/*$/, '/');
  return (reason, page = SERVICE_PAGE) => `${root}${page}#${reason.toLowerCase()}`;
}
