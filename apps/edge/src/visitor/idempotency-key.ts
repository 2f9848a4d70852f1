import type { IncomingHttpHeaders } from 'node:http';
import { FORMS } from '../problems/forms.ts';

const pattern = new RegExp(FORMS.idempotencyKey.pattern);

/** The UUID in `Idempotency-Key` in small letters, as the service compares them; `undefined` where there is none. */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const sent = headers['idempotency-key'];
  return typeof sent === 'string' && pattern.test(sent) ? sent.replaceAll('"', '').toLowerCase() : undefined;
}
