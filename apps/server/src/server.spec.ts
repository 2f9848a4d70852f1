import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StoreError } from '@callpass/domain';
import { createFileRegistry, enumToJson, fromBinary, getOption } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel,
  type FileDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import { ErrorReason, grpc_status } from '@callpass/contract';
import { connect, createClient } from '@callpass/grpc-kit';
import {
  Health,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponse_ServingStatusSchema as StatusSchema,
} from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { ServerReflection } from '@callpass/rpc-protos/gen/grpc/reflection/v1/reflection_pb.js';
import { credentials, status } from '@grpc/grpc-js';
import { createLog } from '@callpass/program/log';
import { ALL_SERVICES, METHODS } from './methods.ts';
import { startServer } from './server.ts';
import { isLoopback } from './settings/listen-address.ts';
import { loadServerSettings, SettingsError } from './settings/load.ts';
import { startTestServer } from './testing/test-server.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-start-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function start(environment: Record<string, string>) {
  const settings = loadServerSettings({
    environment: {
      CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_STORE_URL: `sqlite:${join(folder, 'a.db')}`,
      CALLPASS_LOG_LEVEL: 'silent',
      ...environment,
    },
  });
  return startServer(settings, createLog(settings.log));
}

const key = () => randomBytes(32).toString('base64');

describe('startServer', () => {
  it('shares its address with another instance where both are set to, and with none that is not', async () => {
    const instance = (name: string, address: string, reusePort: boolean) =>
      start({
        CALLPASS_LISTEN_ADDRESS: address,
        CALLPASS_LISTEN_REUSE_PORT: String(reusePort),
        CALLPASS_STORE_URL: `sqlite:${join(folder, `${name}.db`)}`,
        CALLPASS_KEY_ENCRYPTION_KEY: key(),
      });
    const first = await instance('first', '127.0.0.1:0', true);
    const second = await instance('second', first.address, true);
    await expect(instance('third', first.address, false)).rejects.toThrow(/the address is in use/);
    expect(second.address).toBe(first.address);
    await first.stop();
    const plain = credentials.createInsecure();
    const connection = connect({ address: second.address, credentials: plain });
    const answer = createClient(Health, connection).check({ service: '' });
    await expect(answer).resolves.toMatchObject({ status: HealthCheckResponse_ServingStatus.SERVING });
    connection.close();
    await second.stop();
  });

  it.each(['0.0.0.0:0', '[::]:0', '192.168.1.5:0', 'example.org:50051'])(
    'refuses plain text on %s, which others can reach',
    async (address) => {
      await expect(
        start({ CALLPASS_LISTEN_ADDRESS: address, CALLPASS_KEY_ENCRYPTION_KEY: key() }),
      ).rejects.toThrow(/not a loopback address/);
    },
  );

  it('knows loopback from what only looks like it', () => {
    for (const address of ['127.0.0.1:1', '127.8.0.1:1', '[::1]:1', 'localhost:1'])
      expect(isLoopback(address)).toBe(true);
    for (const address of ['128.0.0.1:1', 'localhost.example:1', '127.0.0.1.example:1', '[::2]:1']) {
      expect(isLoopback(address)).toBe(false);
    }
  });

  it('does not start as a second one on a file whose limits are in memory, and says which process serves it', async () => {
    const environment = {
      CALLPASS_STORE_URL: `sqlite:${join(folder, 'twice.db')}`,
      CALLPASS_KEY_ENCRYPTION_KEY: key(),
    };
    const first = await start(environment);
    const process_ = `process ${process.pid} on `;
    await expect(start(environment)).rejects.toThrow(process_);
    await expect(start({ ...environment, CALLPASS_LIMITS_PER_INSTANCE: 'true' })).rejects.toThrow(process_);
    await first.stop();
    await (await start(environment)).stop();
  });

  it('needs a key-encryption key, one that is one, and only one', async () => {
    await expect(start({})).rejects.toThrow(SettingsError);
    const short = start({ CALLPASS_KEY_ENCRYPTION_KEY: 'canary-too-short' });
    await expect(short).rejects.toThrow(SettingsError);
    await expect(short).rejects.not.toThrow(/canary/);
    const file = join(folder, 'kek');
    writeFileSync(file, key());
    await expect(
      start({ CALLPASS_KEY_ENCRYPTION_KEY: key(), CALLPASS_KEY_ENCRYPTION_KEY_FILE: file }),
    ).rejects.toThrow(/exclude each other/);
    await (
      await start({
        CALLPASS_KEY_ENCRYPTION_KEY_FILE: file,
        CALLPASS_STORE_URL: `sqlite:${join(folder, 'b.db')}`,
      })
    ).stop();
  });

  it('refuses a store that was sealed under another key-encryption key', async () => {
    const environment = { CALLPASS_STORE_URL: `sqlite:${join(folder, 'c.db')}` };
    await (await start({ ...environment, CALLPASS_KEY_ENCRYPTION_KEY: key() })).stop();
    const wrong = start({ ...environment, CALLPASS_KEY_ENCRYPTION_KEY: key() });
    await expect(wrong).rejects.toThrow(StoreError);
    await expect(wrong).rejects.toMatchObject({ code: 'SEAL_KEY_WRONG' });
  });

  it('says that the address is in use, and leaves nothing running', async () => {
    const first = await startTestServer();
    await expect(
      start({
        CALLPASS_LISTEN_ADDRESS: first.address,
        CALLPASS_STORE_URL: `sqlite:${join(folder, 'd.db')}`,
        CALLPASS_KEY_ENCRYPTION_KEY: key(),
      }),
    ).rejects.toThrow(/cannot listen on 127\.0\.0\.1:\d+: the address is in use/);
    await first.stop();
  });

  it('reports health for the server and each service', async () => {
    const server = await startTestServer();
    try {
      const { statuses } = await createClient(Health, server.connection).list({});
      expect(
        Object.entries(statuses)
          .map(([name, { status }]) => [name, enumToJson(StatusSchema, status)])
          .sort(),
      ).toEqual([
        ['', 'SERVING'],
        ['callpass.v1.AdminService', 'SERVING'],
        ['callpass.v1.CredentialService', 'SERVING'],
        ['callpass.v1.CredentialService/IssueCredentials', 'SERVING'],
        ['callpass.v1.CredentialService/ValidateToken', 'SERVING'],
        ['callpass.v1.LedgerService', 'SERVING'],
      ]);
    } finally {
      await server.stop();
    }
  });

  it('describes by reflection the status of each reason and the idempotency of each RPC', async () => {
    const server = await startTestServer();
    try {
      const symbols = ['callpass.v1.ErrorReason', 'callpass.v1.CredentialService'];
      const answers = createClient(ServerReflection, server.connection).serverReflectionInfo(
        (async function* () {
          for (const value of symbols)
            yield { messageRequest: { case: 'fileContainingSymbol' as const, value } };
        })(),
      );
      const files = new Map<string, FileDescriptorProto>();
      for await (const { messageResponse } of answers) {
        if (messageResponse.case !== 'fileDescriptorResponse') throw new TypeError(messageResponse.case);
        for (const bytes of messageResponse.value.fileDescriptorProto) {
          const file = fromBinary(FileDescriptorProtoSchema, bytes);
          files.set(file.name, file);
        }
      }
      const reasons = createFileRegistry(files.get('callpass/v1/error_reason.proto')!, (name) =>
        files.get(name),
      );
      const frozen = reasons.getEnum('callpass.v1.ErrorReason')!.value[ErrorReason.FROZEN]!;
      expect(getOption(frozen, grpc_status)).toBe(status.PERMISSION_DENIED);
      const [service] = files.get('callpass/v1/credential_service.proto')!.service;
      const validateToken = service!.method.find(({ name }) => name === 'ValidateToken');
      expect(validateToken?.options?.idempotencyLevel).toBe(MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS);
    } finally {
      await server.stop();
    }
  });
});

it('has a row for each RPC it serves, so that none is open by oversight', () => {
  const rpcs = Object.values(ALL_SERVICES).flatMap((service) =>
    service.methods.map(({ name }) => `${service.typeName}/${name}`),
  );
  expect([...METHODS.entries()].map(([name]) => name).sort()).toEqual(rpcs.sort());
});
