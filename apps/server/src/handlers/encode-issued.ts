import { toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  BatchIssueCredentialsResponseSchema,
  BatchIssueCredentialsResultSchema,
  IssueCredentialsResponseSchema,
  TimeLimitedCredentialsSchema,
} from '@callpass/contract';
import { StatusSchema, type Status } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import type { Issued } from '../credentials/issue.ts';

const RESPONSE = IssueCredentialsResponseSchema.field;
const BATCH = BatchIssueCredentialsResponseSchema.field;
const RESULT = BatchIssueCredentialsResultSchema.field;
const TOKENS = TimeLimitedCredentialsSchema.field;

/**
 * The bytes of an `IssueCredentialsResponse`, as `toBinary` writes them, in a fraction of the time: this is the answer that
 * the service exists for. The field numbers are the descriptor's; a test holds the two equal.
 */
export function encodeIssued(issued: Issued): Uint8Array {
  const writer = new BinaryWriter();
  text(writer, RESPONSE.issuanceId.number, issued.issuanceId);
  const { timeLimited } = issued;
  if (timeLimited) {
    writer.tag(RESPONSE.timeLimited.number, WireType.LengthDelimited).fork();
    text(writer, TOKENS.accountToken.number, timeLimited.tokens.accountToken);
    text(writer, TOKENS.fromToken.number, timeLimited.tokens.fromToken);
    text(writer, TOKENS.toToken.number, timeLimited.tokens.toToken);
    text(writer, TOKENS.realm.number, timeLimited.realm);
    writer.join();
  } else {
    writer.tag(RESPONSE.unrestricted.number, WireType.LengthDelimited).uint32(0);
  }
  text(writer, RESPONSE.callee.number, issued.callee);
  text(writer, RESPONSE.caller.number, issued.caller);
  timestamp(writer, RESPONSE.issueTime.number, issued.issueTimeMs);
  if (timeLimited) {
    timestamp(writer, RESPONSE.expireTime.number, timeLimited.expireTimeMs);
    timestamp(writer, RESPONSE.refreshTime.number, timeLimited.refreshTimeMs);
    writer.tag(RESPONSE.keyVersion.number, WireType.Varint).uint32(timeLimited.keyVersion);
  }
  return writer.finish();
}

/** One result of a batch: the encoded answer, or the status that stands in its place. */
export type EncodedResult = { readonly response: Uint8Array } | { readonly status: Status };

/** The bytes of a `BatchIssueCredentialsResponse`, as `toBinary` writes them, from answers that are encoded already. */
export function encodeBatch(results: readonly EncodedResult[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const result of results) {
    writer.tag(BATCH.results.number, WireType.LengthDelimited).fork();
    if ('response' in result)
      writer.tag(RESULT.response.number, WireType.LengthDelimited).bytes(result.response);
    else
      writer.tag(RESULT.status.number, WireType.LengthDelimited).bytes(toBinary(StatusSchema, result.status));
    writer.join();
  }
  return writer.finish();
}

function text(writer: BinaryWriter, number: number, value: string): void {
  if (value !== '') writer.tag(number, WireType.LengthDelimited).string(value);
}

const SECONDS = 1;
const NANOS = 2;

/** A google.protobuf.Timestamp. Until the year 2106 its seconds fit 32 bits, whose varint is the same as the wider one's. */
function timestamp(writer: BinaryWriter, number: number, timeMs: number): void {
  const nanos = (timeMs % 1000) * 1_000_000;
  writer.tag(number, WireType.LengthDelimited).fork();
  writer.tag(SECONDS, WireType.Varint).uint32(Math.floor(timeMs / 1000));
  if (nanos > 0) writer.tag(NANOS, WireType.Varint).uint32(nanos);
  writer.join();
}
