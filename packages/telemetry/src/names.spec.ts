import { describe, expect, it } from '@jest/globals';
import * as semconv from '@opentelemetry/semantic-conventions';
import * as names from './names.ts';
import { STATUS_NAMES } from './rpc-status.ts';
import { status } from '@grpc/grpc-js';

describe('names', () => {
  it.each([
    'ATTR_RPC_SYSTEM_NAME',
    'ATTR_RPC_METHOD',
    'ATTR_RPC_STATUS_CODE',
    'ATTR_SERVER_ADDRESS',
    'ATTR_SERVER_PORT',
    'ATTR_NETWORK_PEER_ADDRESS',
    'ATTR_HTTP_REQUEST_METHOD',
    'ATTR_HTTP_ROUTE',
    'ATTR_HTTP_RESPONSE_STATUS_CODE',
    'ATTR_URL_SCHEME',
    'ATTR_ERROR_TYPE',
    'METRIC_HTTP_SERVER_REQUEST_DURATION',
    'METRIC_RPC_SERVER_CALL_DURATION',
    'METRIC_RPC_CLIENT_CALL_DURATION',
  ] as const)('%s is the stable name of the semantic conventions', (name) => {
    expect(names[name]).toBe(semconv[name]);
  });

  it('uses the values that the semantic conventions fix', () => {
    expect(names.RPC_SYSTEM_GRPC).toBe(semconv.RPC_SYSTEM_NAME_VALUE_GRPC);
    expect(names.ERROR_TYPE_OTHER).toBe(semconv.ERROR_TYPE_VALUE_OTHER);
  });

  it('gives no two attributes one name, and allows none on spans that is not an attribute', () => {
    const attributes = Object.entries(names).flatMap(([name, value]) =>
      name.startsWith('ATTR_') ? [value] : [],
    );
    expect(new Set(attributes).size).toBe(attributes.length);
    expect(new Set(names.SPAN_ATTRIBUTES).size).toBe(names.SPAN_ATTRIBUTES.length);
    expect(attributes).toEqual(expect.arrayContaining([...names.SPAN_ATTRIBUTES]));
  });

  it('names the gRPC status codes as grpc-js does', () => {
    STATUS_NAMES.forEach((name, code) => expect(status[code]).toBe(name));
    expect(status[STATUS_NAMES.length]).toBeUndefined();
  });
});
