import type { DescFile, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponseSchema,
} from '@callpass/rpc-protos/gen/grpc/reflection/v1/reflection_pb.js';
import { ServerReflection as ServerReflectionV1Alpha } from '@callpass/rpc-protos/gen/grpc/reflection/v1alpha/reflection_pb.js';
import { type Server, status } from '@grpc/grpc-js';
import { addService, type ServiceOptions } from '../server/add-service.ts';
import type { Handlers } from '../server/handlers.ts';
import type { ServerCall } from '../server/server-call.ts';
import { type AllowedCheck, whileAllowed } from '../server/while-allowed.ts';
import { DescriptorIndex } from './descriptor-index.ts';

type Query = MessageShape<typeof ServerReflectionRequestSchema>['messageRequest'];
type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

/**
 * Registers grpc.reflection.v1 and v1alpha, which describe `services`, `files` that none of them imports, and
 * themselves, with imports and custom options. A request for an unknown name gets the error response NOT_FOUND; the stream goes
 * on.
 */
export function addReflection(
  server: Server,
  {
    services,
    files = [],
    stillAllowed,
  }: {
    readonly services: Iterable<DescService>;
    readonly files?: readonly DescFile[];
    /** Returns the check of a call that {@link whileAllowed} does. Default: none. */
    readonly stillAllowed?: (call: ServerCall) => AllowedCheck;
  },
  options?: ServiceOptions,
): void {
  const described = new Set([...services, ServerReflection, ServerReflectionV1Alpha]);
  const index = new DescriptorIndex([...described], files);
  const handlers: Handlers<typeof ServerReflection> = {
    async *serverReflectionInfo(requests, call) {
      const sent = new Set<DescFile>();
      for await (const request of stillAllowed ? whileAllowed(requests, stillAllowed(call)) : requests) {
        const messageResponse = answer(index, request.messageRequest, sent);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  };
  addService(server, ServerReflection, handlers, options);
  // The two versions differ only in the package name, and so do their types.
  addService(
    server,
    ServerReflectionV1Alpha,
    handlers as unknown as Handlers<typeof ServerReflectionV1Alpha>,
    options,
  );
}

function answer(index: DescriptorIndex, query: Query, sent: Set<DescFile>): Answer {
  switch (query.case) {
    case 'listServices': {
      const service = index.serviceNames.map((name) => ({ name }));
      return { case: 'listServicesResponse', value: { service } };
    }
    case 'fileByFilename':
      return fileAnswer(index, index.fileByName(query.value), sent);
    case 'fileContainingSymbol':
      return fileAnswer(index, index.fileBySymbol(query.value), sent);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = query.value;
      return fileAnswer(index, index.fileByExtension(containingType, extensionNumber), sent);
    }
    case 'allExtensionNumbersOfType': {
      const extensionNumber = index.extensionNumbers(query.value);
      if (extensionNumber === undefined) return refusal(status.NOT_FOUND, 'unknown type');
      return { case: 'allExtensionNumbersResponse', value: { baseTypeName: query.value, extensionNumber } };
    }
    case undefined:
      return refusal(status.INVALID_ARGUMENT, 'unknown kind of request');
  }
}

function fileAnswer(index: DescriptorIndex, file: DescFile | undefined, sent: Set<DescFile>): Answer {
  if (file === undefined) return refusal(status.NOT_FOUND, 'not found');
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: index.closure(file, sent) } };
}

function refusal(errorCode: status, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}
