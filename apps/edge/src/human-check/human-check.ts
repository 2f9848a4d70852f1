import type { FastifyRequest } from 'fastify';

/**
 * Something that tells humans from programs before credentials are issued: a captcha provider, a proof of work, a login.
 * Left out of the options, nobody is checked.
 */
export interface HumanCheck {
  /** Whether this request has to prove it. Default: each that asks for credentials. */
  required?(request: FastifyRequest): boolean | Promise<boolean>;
  /**
   * Whether the request carries a proof that holds. It is in the header {@link HUMAN_CHECK_HEADER}, as text. What it throws is a
   * fault of the edge, and nothing is issued.
   */
  verify(request: FastifyRequest): boolean | Promise<boolean>;
  /** What a page has to solve, as the answer of `GET /v1/human-check`. Left out, the page knows by itself. */
  challenge?(): object | Promise<object>;
}

/** Header in which a page sends its proof. */
export const HUMAN_CHECK_HEADER = 'callpass-human-check';

/** Where a page gets what it has to solve, below the prefix that the plugin is mounted under. */
export const HUMAN_CHECK_PATH = '/v1/human-check';
