import { toBinary } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import {
  BatchIssueCredentialsResponseSchema,
  BatchIssueCredentialsResultSchema,
  IssueCredentialsResponseSchema,
  TimeLimitedCredentialsSchema,
} from '@callpass/contract';
import { MessageWriter, WIRE } from '@callpass/protobuf-writer';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import type { ItemOutcome } from './decide-each.ts';
import type { Issued } from './issue.ts';

const RESPONSE = IssueCredentialsResponseSchema.field;
const BATCH = BatchIssueCredentialsResponseSchema.field;
const RESULT = BatchIssueCredentialsResultSchema.field;
const TOKENS = TimeLimitedCredentialsSchema.field;
const TIME = TimestampSchema.field;

// One for all answers, so each begins anew: nothing of one client's may stand in another's, whatever went wrong before.
const writer = new MessageWriter();

/**
 * The bytes of an `IssueCredentialsResponse`, as `toBinary` writes them, in a fraction of the time: this is the answer that
 * the service exists for. The field numbers are the descriptor's; a test holds the two equal.
 */
export function encodeIssued(issued: Issued): Buffer {
  writer.reset();
  text(RESPONSE.issuanceId, issued.issuanceId);
  const { timeLimited } = issued;
  const grant = writer.begin((timeLimited ? RESPONSE.timeLimited : RESPONSE.unrestricted).number);
  if (timeLimited) {
    text(TOKENS.accountToken, timeLimited.tokens.accountToken);
    text(TOKENS.fromToken, timeLimited.tokens.fromToken);
    text(TOKENS.toToken, timeLimited.tokens.toToken);
    text(TOKENS.realm, timeLimited.realm);
  }
  writer.end(grant);
  text(RESPONSE.callee, issued.callee);
  text(RESPONSE.caller, issued.caller);
  timestamp(RESPONSE.issueTime, issued.issueTimeMs);
  if (timeLimited) {
    timestamp(RESPONSE.expireTime, timeLimited.expireTimeMs);
    timestamp(RESPONSE.refreshTime, timeLimited.refreshTimeMs);
    number(RESPONSE.keyVersion, timeLimited.keyVersion);
  }
  return writer.finish();
}

/** The bytes of a `BatchIssueCredentialsResponse`, as `toBinary` writes them, from answers that are encoded already. */
export function encodeBatch(results: readonly ItemOutcome<Uint8Array>[]): Buffer {
  writer.reset();
  for (const result of results) {
    const start = writer.begin(BATCH.results.number);
    const isResponse = 'response' in result;
    const bytes = isResponse ? result.response : toBinary(StatusSchema, result.status);
    writer.tag((isResponse ? RESULT.response : RESULT.status).number, WIRE.bytes);
    writer.varint(bytes.length);
    writer.raw(bytes);
    writer.end(start);
  }
  return writer.finish();
}

interface Field {
  readonly number: number;
}

function text(field: Field, value: string): void {
  if (value === '') return;
  writer.tag(field.number, WIRE.bytes);
  writer.text(value);
}

function number(field: Field, value: number): void {
  if (value === 0) return;
  writer.tag(field.number, WIRE.varint);
  writer.varint(value);
}

/** A google.protobuf.Timestamp of a time that is not before 1970. */
function timestamp(field: Field, timeMs: number): void {
  const start = writer.begin(field.number);
  number(TIME.seconds, Math.floor(timeMs / 1000));
  number(TIME.nanos, (timeMs % 1000) * 1_000_000);
  writer.end(start);
}
