import {
  createFileRegistry,
  type DescService,
  fromBinary,
  getOption,
  type MessageInitShape,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { field as fieldRules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { file_google_rpc_code } from '@callpass/rpc-protos/gen/google/rpc/code_pb.js';
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
} from '@callpass/rpc-protos/gen/grpc/reflection/v1/reflection_pb.js';
import { ServerReflection as V1Alpha } from '@callpass/rpc-protos/gen/grpc/reflection/v1alpha/reflection_pb.js';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createClient } from '../client/create-client.ts';
import { collect, type RunningServer, startServer, streamOf } from '../testing/echo.ts';
import { EchoService } from '../testing/gen/kit/v1/echo_pb.ts';
import { addReflection } from './reflection.ts';

type Query = MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest'];

let running: RunningServer;
beforeEach(async () => {
  running = await startServer((server) =>
    addReflection(server, { services: [EchoService], files: [file_google_rpc_code] }),
  );
});
afterEach(() => running.stop());

describe.each([
  ['v1', ServerReflection],
  ['v1alpha', V1Alpha as DescService as typeof ServerReflection],
])('reflection %s', (_version, service) => {
  async function ask(...queries: NonNullable<Query>[]) {
    const client = createClient(service, running.connection);
    const requests = queries.map((messageRequest) => ({ host: 'h', messageRequest }));
    return collect(client.serverReflectionInfo(streamOf(...requests)));
  }
  async function files(...queries: NonNullable<Query>[]) {
    return (await ask(...queries)).map(({ messageResponse }) => {
      if (messageResponse.case !== 'fileDescriptorResponse') throw new TypeError(messageResponse.case);
      return messageResponse.value.fileDescriptorProto.map((bytes) =>
        fromBinary(FileDescriptorProtoSchema, bytes),
      );
    });
  }

  it('lists the services, its own two versions included', async () => {
    const [answer] = await ask({ case: 'listServices', value: '*' });
    expect(answer).toMatchObject({
      validHost: 'h',
      originalRequest: { host: 'h', messageRequest: { case: 'listServices', value: '*' } },
      messageResponse: {
        case: 'listServicesResponse',
        value: {
          service: [
            { name: 'grpc.reflection.v1.ServerReflection' },
            { name: 'grpc.reflection.v1alpha.ServerReflection' },
            { name: 'kit.v1.EchoService' },
          ],
        },
      },
    });
  });

  it('describes a service so fully that its rules can be read from the answer', async () => {
    const [protos] = await files({ case: 'fileContainingSymbol', value: 'kit.v1.EchoService' });
    expect(protos!.map(({ name }) => name)).toEqual([
      'kit/v1/echo.proto',
      'buf/validate/validate.proto',
      'google/protobuf/descriptor.proto',
      'google/protobuf/duration.proto',
      'google/protobuf/field_mask.proto',
      'google/protobuf/timestamp.proto',
    ]);
    const byName = new Map(protos!.map((proto) => [proto.name, proto]));
    const registry = createFileRegistry(protos![0]!, (name) => byName.get(name));
    const text = registry.getMessage('kit.v1.SayRequest')!.field['text']!;
    expect(getOption(text, fieldRules).type).toMatchObject({ case: 'string', value: { maxLen: 64n } });
  });

  it('finds a file by its name and by everything that it declares', async () => {
    const symbols = [
      'kit.v1.EchoService.Say',
      'kit.v1.SayRequest',
      'kit.v1.SayRequest.text',
      'buf.validate.field',
      'buf.validate.IGNORE_ALWAYS',
      'google.protobuf.FieldOptions.CType',
      'google.protobuf.FieldOptions.CORD',
    ];
    for (const symbol of symbols) {
      const [protos] = await files({ case: 'fileContainingSymbol', value: symbol });
      expect([symbol, symbol.split('.')[0]]).toEqual([symbol, protos![0]!.package.split('.')[0]]);
    }
    const [protos] = await files({ case: 'fileByFilename', value: 'buf/validate/validate.proto' });
    expect(protos![0]!.name).toBe('buf/validate/validate.proto');
  });

  it('describes a file that no service imports', async () => {
    const [protos] = await files({ case: 'fileContainingSymbol', value: 'google.rpc.Code' });
    expect(protos!.map(({ name }) => name)).toEqual(['google/rpc/code.proto']);
  });

  it('sends an import once a stream, but always the file that was asked for', async () => {
    const sets = await files(
      { case: 'fileByFilename', value: 'kit/v1/echo.proto' },
      { case: 'fileByFilename', value: 'buf/validate/validate.proto' },
    );
    expect(sets.map((set) => set.length)).toEqual([6, 1]);
  });

  it('finds extensions and lists their numbers', async () => {
    const [protos] = await files({
      case: 'fileContainingExtension',
      value: { containingType: 'google.protobuf.FieldOptions', extensionNumber: 1159 },
    });
    expect(protos![0]!.name).toBe('buf/validate/validate.proto');
    const answers = await ask(
      { case: 'allExtensionNumbersOfType', value: 'google.protobuf.FieldOptions' },
      { case: 'allExtensionNumbersOfType', value: 'kit.v1.SayRequest' },
    );
    expect(answers.map(({ messageResponse }) => messageResponse.value)).toMatchObject([
      { baseTypeName: 'google.protobuf.FieldOptions', extensionNumber: [1159, 1160] },
      { baseTypeName: 'kit.v1.SayRequest', extensionNumber: [] },
    ]);
  });

  it('answers NOT_FOUND for what is not there, and goes on', async () => {
    const answers = await ask(
      { case: 'fileByFilename', value: '../secret' },
      { case: 'fileContainingSymbol', value: '__proto__' },
      { case: 'fileContainingExtension', value: { containingType: 'x.Y', extensionNumber: 1 } },
      {
        case: 'fileContainingExtension',
        value: { containingType: 'google.protobuf.FieldOptions', extensionNumber: 1 },
      },
      { case: 'allExtensionNumbersOfType', value: 'x.Y' },
      { case: undefined },
      { case: 'listServices', value: '' },
    );
    expect(
      answers.map(({ messageResponse: { case: kind, value } }) =>
        kind === 'errorResponse' ? value.errorCode : kind,
      ),
    ).toEqual([...Array<number>(5).fill(status.NOT_FOUND), status.INVALID_ARGUMENT, 'listServicesResponse']);
  });
});
