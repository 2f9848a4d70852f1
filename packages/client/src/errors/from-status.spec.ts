import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { detail, RpcError } from '@callpass/grpc-kit';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { status } from '@grpc/grpc-js';
import { errorFromStatus, toCallpassError } from './from-status.ts';

describe('toCallpassError', () => {
  it('reads reason, violations, pause, trace and metadata from the details', () => {
    const error = toCallpassError(
      new RpcError(status.INVALID_ARGUMENT, 'invalid request', {
        details: [
          detail(ErrorInfoSchema, {
            domain: 'callpass',
            reason: 'REQUEST_INVALID',
            metadata: { traceId: 'a'.repeat(32), opensAt: 'soon' },
          }),
          detail(BadRequestSchema, { fieldViolations: [{ field: 'destination', description: 'is empty' }] }),
          detail(RetryInfoSchema, { retryDelay: { seconds: 1n, nanos: 1 } }),
        ],
      }),
    );
    expect(error.message).toBe('invalid request');
    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'REQUEST_INVALID',
      violations: [{ field: 'destination', description: 'is empty' }],
      retryAfterMs: 1_001,
      traceId: 'a'.repeat(32),
      metadata: { opensAt: 'soon' },
    });
  });

  it.each([
    [
      status.UNAVAILABLE,
      'No connection established. Last error: Error: self-signed certificate',
      'self-signed',
    ],
    [status.UNAVAILABLE, 'Name resolution failed for target dns:x', 'the name has no address'],
    [status.UNAVAILABLE, 'Connection dropped', 'there is no connection to it'],
    [status.DEADLINE_EXCEEDED, 'Deadline exceeded after 0.050s,LB pick: 0.001s', 'within the time limit'],
    [
      status.INTERNAL,
      'Received RST_STREAM with code 2 (Internal server error)',
      'has answered INTERNAL without a reason',
    ],
    [status.UNIMPLEMENTED, 'Received HTTP status code 404', 'has answered UNIMPLEMENTED without a reason'],
  ] as const)('says of a status of the transport (%s, %s) what to do', (code, text, says) => {
    const cause = new RpcError(code, text);
    const error = toCallpassError(cause, 'callpass.example:7443');
    expect(error.message).toContain(says);
    expect(error.message).toContain('callpass.example:7443');
    expect(error.message).toContain('; ');
    expect(error.message).not.toMatch(/Last error|dropped|LB pick|RST_STREAM|HTTP status/);
    expect(error).toMatchObject({ code, cause });
  });

  it('keeps the text of the service where there is a reason', () => {
    const info = detail(ErrorInfoSchema, { domain: 'callpass', reason: 'LEDGER_UNAVAILABLE' });
    const error = toCallpassError(new RpcError(status.UNAVAILABLE, 'no ledger', { details: [info] }), 'x:1');
    expect(error.message).toBe('no ledger');
  });

  it('has no reason where the status carries none', () => {
    const error = toCallpassError(new RpcError(status.UNAVAILABLE, 'connect failed'));
    expect(error).toMatchObject({ reason: undefined, violations: [], retryAfterMs: undefined, metadata: {} });
  });

  it.each([
    ['another domain', { domain: 'proxy.example', reason: 'FROZEN' }],
    ['a text that is no reason', { domain: 'callpass', reason: '\u001b[31mFROZEN' }],
  ])('takes no reason from %s', (_name, info) => {
    const error = toCallpassError(
      new RpcError(status.UNAVAILABLE, '', { details: [detail(ErrorInfoSchema, info)] }),
    );
    expect(error.reason).toBeUndefined();
  });

  it('keeps a reason that is newer than this client', () => {
    const info = detail(ErrorInfoSchema, { domain: 'callpass', reason: 'MOON_FULL' });
    expect(toCallpassError(new RpcError(status.ABORTED, '', { details: [info] })).reason).toBe('MOON_FULL');
  });

  it('makes the same error of the status of a batch item', () => {
    const info = create(ErrorInfoSchema, { domain: 'callpass', reason: 'FROZEN' });
    const item = create(StatusSchema, {
      code: status.PERMISSION_DENIED,
      message: 'stopped',
      details: [anyPack(ErrorInfoSchema, info)],
    });
    expect(errorFromStatus(item)).toMatchObject({
      message: 'stopped',
      code: status.PERMISSION_DENIED,
      reason: 'FROZEN',
    });
  });
});
