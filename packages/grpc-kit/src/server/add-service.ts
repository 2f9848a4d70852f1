import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { methodName, methodPath, passThrough } from '../codec/codec.ts';
import type { Handlers } from './handlers.ts';
import type { ServerInterceptor } from './interceptor.ts';
import { type MapError, maskUnknownErrors } from './server-call.ts';
import { serveMethod, type UntypedHandler } from './serve-method.ts';

/** Options of {@link addService}. */
export interface ServiceOptions {
  /** Interceptors, the first outermost. Default: none. */
  readonly interceptors?: readonly ServerInterceptor[];
  /** Mapping of errors to statuses. Default: {@link maskUnknownErrors}. */
  readonly mapError?: MapError;
}

/**
 * Registers a service on a grpc-js server.
 *
 * @throws {TypeError} if a method has no handler, so that a server never starts without one.
 */
export function addService<D extends DescService>(
  server: Server,
  service: D,
  handlers: Handlers<D>,
  options: ServiceOptions = {},
): void {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const handler: unknown = (handlers as Record<string, unknown>)[method.localName];
    if (typeof handler !== 'function') throw new TypeError(`no handler for ${methodName(method)}`);
    definition[method.localName] = toMethodDefinition(method);
    implementation[method.localName] = serveMethod(method, handler.bind(handlers) as UntypedHandler, {
      interceptors: options.interceptors ?? [],
      mapError: options.mapError ?? maskUnknownErrors,
    });
  }
  server.addService(definition, implementation);
}

function toMethodDefinition(method: DescMethod): ServiceDefinition[string] {
  const { methodKind: kind } = method;
  return {
    path: methodPath(method),
    requestStream: kind === 'client_streaming' || kind === 'bidi_streaming',
    responseStream: kind === 'server_streaming' || kind === 'bidi_streaming',
    requestSerialize: passThrough,
    requestDeserialize: passThrough,
    responseSerialize: passThrough,
    responseDeserialize: passThrough,
  };
}
