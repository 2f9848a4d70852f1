import type { IncomingHttpHeaders } from 'node:http';

const UUID = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';

/** Pattern of the header: a UUID; the quotes are those of a structured field, as the draft of the header has it. */
export const IDEMPOTENCY_KEY = `^("${UUID}"|${UUID})$`;

const pattern = new RegExp(IDEMPOTENCY_KEY);

/** The UUID in `Idempotency-Key`; `undefined` where there is none. */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const sent = headers['idempotency-key'];
  return typeof sent === 'string' && pattern.test(sent) ? sent.replaceAll('"', '') : undefined;
}
