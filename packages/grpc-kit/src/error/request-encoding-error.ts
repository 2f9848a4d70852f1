/** Fault of a caller: a value of the request does not fit its field, so nothing was sent. The cause names field and value. */
export class RequestEncodingError extends TypeError {
  override readonly name = 'RequestEncodingError';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
