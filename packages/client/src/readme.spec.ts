import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { detail } from '@callpass/grpc-kit';
import { RetryInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { status } from '@grpc/grpc-js';
import { refusal, startLocalService, type CredentialHandlers } from './testing/local-service.ts';

/** The compiled code that Node keeps halves the time of a start. */
const { PATH, NODE_COMPILE_CACHE } = process.env;
const folder = fileURLToPath(new URL('..', import.meta.url));
const samples = [...readFileSync(`${folder}/README.md`, 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(
  ([, code = '']) => code,
);

/** Runs a sample as it stands, in a process of its own, as a stranger would. */
async function runSample(index: number, address = ''): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@callpass/source', '--input-type=module-typescript', '--eval', samples[index] ?? ''],
    { cwd: folder, env: { PATH, NODE_COMPILE_CACHE, CALLPASS_ADDRESS: address, NODE_NO_WARNINGS: '1' } },
  );
  return stdout;
}

async function issueSample(issueCredentials: CredentialHandlers['issueCredentials']): Promise<string> {
  const service = await startLocalService({ issueCredentials });
  try {
    return await runSample(0, service.address);
  } finally {
    service.stop();
  }
}

describe('README', () => {
  it('has a sample that issues credentials', async () => {
    const inOneHour = timestampFromMs(Date.now() + 3_600_000);
    const output = await issueSample(() => ({
      grant: {
        case: 'timeLimited',
        value: { accountToken: 'AA', fromToken: 'BB', toToken: 'CC', realm: 'support.example' },
      },
      callee: 'support@kandy.example',
      caller: 'anonymous@kandy.example',
      expireTime: inOneHour,
      refreshTime: inOneHour,
    }));
    expect(output).toBe(
      'support@kandy.example accountToken,fromToken,toToken,realm anonymous@kandy.example true\n',
    );
  }, 20_000);

  it('has a sample that says when to come back after a limit', async () => {
    const output = await issueSample(() => {
      const retry = detail(RetryInfoSchema, { retryDelay: { seconds: 3n } });
      throw refusal(status.RESOURCE_EXHAUSTED, 'LIMIT_EXCEEDED', retry);
    });
    expect(output).toBe('come back in 3000 ms\n');
  }, 20_000);

  it('has a sample of the double that runs', async () => {
    await expect(runSample(1)).resolves.toBe('');
  }, 20_000);
});
