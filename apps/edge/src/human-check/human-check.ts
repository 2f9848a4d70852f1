import type { FastifyRequest } from 'fastify';

/**
 * A check that separates humans from programs before credentials are issued: a captcha provider, a proof of work, a login.
 * Left out of the options, nobody is checked.
 */
export interface HumanCheck {
  /** Selects the requests that need a proof. Default: each that asks for credentials. */
  required?(request: FastifyRequest): boolean | Promise<boolean>;
  /**
   * Verifies the proof of a request, a text in the header {@link HUMAN_CHECK_HEADER}. An error that it throws is a fault of the
   * edge, and nothing is issued.
   */
  verify(request: FastifyRequest): boolean | Promise<boolean>;
  /** Creates the challenge for a page, the answer to `GET /v1/human-check`. Left out, the page needs none. */
  challenge?(): object | Promise<object>;
}

/** Header in which a page sends its proof. */
export const HUMAN_CHECK_HEADER = 'callpass-human-check';

/** Path of the challenge, below the prefix that the plugin is mounted under. */
export const HUMAN_CHECK_PATH = '/v1/human-check';
