import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { RpcError } from '@callpass/grpc-kit';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  HelpSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import type { Status } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { status } from '@grpc/grpc-js';

/** The parts of an error that a client reads. */
export async function refusalOf(call: Promise<unknown>) {
  const error: unknown = await call.then(
    () => new Error('the call was granted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof RpcError)) throw error;
  const [info] = error.findDetails(ErrorInfoSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  return {
    code: status[error.code],
    message: error.message,
    domain: info?.domain,
    reason: info?.reason,
    metadata: info?.metadata,
    fields: error
      .findDetails(BadRequestSchema)
      .flatMap((bad) => bad.fieldViolations.map(({ field }) => field)),
    violations: error
      .findDetails(BadRequestSchema)
      .flatMap((bad) => bad.fieldViolations.map(({ field, description }) => ({ field, description }))),
    retryAfterSeconds: retry?.retryDelay && Number(retry.retryDelay.seconds) + retry.retryDelay.nanos / 1e9,
    quota: error
      .findDetails(QuotaFailureSchema)
      .flatMap(({ violations }) => violations.map(({ subject, description }) => ({ subject, description }))),
    help: error.findDetails(HelpSchema).flatMap(({ links }) => links.map(({ url }) => url)),
  };
}

/** The reason in a status that stands in a message, such as the result of a request of a batch. */
export function reasonIn(status: Status | undefined): string | undefined {
  return status?.details.flatMap((any) => anyUnpack(any, ErrorInfoSchema) ?? [])[0]?.reason;
}
