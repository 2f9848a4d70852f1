import { AdminService } from '@callpass/contract';
import { connect, createClient } from '@callpass/grpc-kit';
import { credentials } from '@grpc/grpc-js';
import { expect, it } from '@jest/globals';
import { run, startServerProcess } from '../processes.ts';

// No test of its own: canary.e2e.ts runs it to see that a run whose tests all pass fails where a secret got out. Which
// secret the command writes is told by LEAK.

it('passes', async () => {
  const server = await startServerProcess();
  const connection = connect({ address: server.address, credentials: credentials.createInsecure() });
  const admin = createClient(AdminService, connection);
  await admin.applyConfiguration({
    configuration: { realms: [{ name: 'r', cipher: 1, tokenLifetime: { seconds: 60n } }] },
  });
  const { generatedKey } = await admin.addRealmKey({ realm: 'r' });
  const text = process.env['LEAK'] === 'key' ? `\n${generatedKey}` : '\nnothing';
  const { code } = await run('printf', ['%s', text]);
  expect(code).toBe(0);
  connection.close();
  await server.stop();
});
