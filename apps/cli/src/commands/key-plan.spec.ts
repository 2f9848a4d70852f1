import { afterEach, describe, expect, it } from '@jest/globals';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  Cipher,
  type ConfigurationSchema,
  KeyState,
  LimitScope,
  type RealmKeySchema,
  Role,
} from '@callpass/contract';
import type { RotationPlan } from '../rotation/rotation-plan.ts';
import { type LocalService, startLocalService } from '../testing/local-service.ts';
import { runInProcess } from '../testing/run-in-process.ts';

const REALM = 'support.example';

const configuration: MessageInitShape<typeof ConfigurationSchema> = {
  realms: [
    { name: REALM, cipher: Cipher.AES_128_ECB, tokenLifetime: { seconds: 600n } },
    { name: `${REALM}-2`, cipher: Cipher.AES_128_ECB, tokenLifetime: { seconds: 60n } },
  ],
  destinations: [
    { id: 'support', realm: REALM, account: 'anonymous@kandy.example', limits: [{ per: LimitScope.REALM }] },
    { id: 'sales', realm: REALM, account: 'anonymous@kandy.example' },
    { id: 'other', realm: `${REALM}-2`, account: 'other@kandy.example' },
    { id: 'lobby', account: 'lobby@kandy.example' },
  ],
  clients: [
    { name: 'edge', grants: [{ role: Role.VALIDATOR, realms: [REALM] }] },
    { name: 'all', grants: [{ role: Role.VALIDATOR, realms: ['*'] }] },
  ],
};

const key = (version: number, state: KeyState, more: MessageInitShape<typeof RealmKeySchema> = {}) => {
  return { realm: REALM, version, state, fingerprint: `f${version}`, ...more };
};
const retired = key(1, KeyState.RETIRED, { validateUntilTime: timestampFromMs(Date.parse('2026-11-25Z')) });
const active = key(2, KeyState.ACTIVE);

let service: LocalService | undefined;
afterEach(() => {
  service?.stop();
  service = undefined;
});

async function callpass(
  realmKeys: readonly ReturnType<typeof key>[],
  args: readonly string[],
  document = configuration,
) {
  service = await startLocalService({
    admin: {
      getConfiguration: () => ({ configuration: document, revision: { revision: 4 } }),
      listRealmKeys: () => ({ realmKeys: [...realmKeys] }),
    },
  });
  return runInProcess(['--address', service.address, 'key', 'plan', ...args]);
}

async function planOf(...asked: Parameters<typeof callpass>): Promise<RotationPlan> {
  const [keys, args, document] = asked;
  const run = await callpass(keys, ['--output=json', ...args], document);
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  return JSON.parse(run.stdout) as RotationPlan;
}

const commandsOf = (plan: RotationPlan) =>
  plan.ways.map(({ steps }) => steps.flatMap(({ commands }) => commands));

describe('callpass key plan', () => {
  it('says what is so now: who uses the realm, and how long a retired key still validates', async () => {
    expect(await planOf([active, retired], [REALM])).toMatchObject({
      realm: REALM,
      configurationRevision: 4,
      cipher: 'AES_128_ECB',
      tokenLifetimeSeconds: 600,
      maxClockSkewSeconds: 30,
      validatesAfterRetirementSeconds: 630,
      activeVersion: 2,
      nextVersion: 3,
      keys: [
        { version: 2, state: 'ACTIVE', fingerprint: 'f2' },
        { version: 1, state: 'RETIRED', validateUntilTime: '2026-11-25T00:00:00Z' },
      ],
      destinations: [{ id: 'support' }, { id: 'sales' }],
      accounts: ['anonymous@kandy.example'],
      validators: ['edge'],
      limitedByRealm: ['support'],
    });
  });

  it('names the commands of both ways, in their order', async () => {
    const [same, second] = commandsOf(await planOf([active, retired], [REALM]));
    const apply = [
      'callpass config apply -f callpass.yaml --dry-run',
      'callpass config apply -f callpass.yaml',
    ];
    expect(same).toEqual([
      'callpass key add --generate support.example',
      'callpass key list support.example',
      'callpass key activate support.example 3',
      'callpass issue support',
      'callpass key destroy support.example 2',
    ]);
    expect(second).toEqual([
      'callpass config get > callpass.yaml',
      ...apply,
      'callpass key add --generate support.example-3',
      'callpass key activate support.example-3 1',
      ...apply,
      'callpass issue support',
      'callpass key retire support.example 2',
      'callpass key destroy support.example 2',
      ...apply,
    ]);
  });

  it('says which tokens the gateway refuses in the window of the same realm', async () => {
    const [same] = (await planOf([active], [REALM])).ways;
    expect(same?.refusedByGateway).toEqual([
      expect.stringMatching(/version 2 .* issued before step 3 and not used .* 600 s old at most/),
      expect.stringMatching(/issued between step 3 .* and 2 s after step 4 .*: it is of version 2/),
      expect.stringMatching(/step 4 before step 3: .* version 3/),
      expect.stringMatching(/takes all of them for VALID/),
    ]);
    const places = same?.steps.map(({ where }) => where);
    expect(places?.[2]).toBe('portal');
    expect(same?.steps[3]?.commands).toEqual(['callpass key activate support.example 3']);
    expect(same?.steps[5]).toMatchObject({ where: 'wait', waitSeconds: 630 });
  });

  it('names the pinning of accounts as a thing to check before the second way', async () => {
    const [, second] = (await planOf([active], [REALM])).ways;
    expect(second?.checks[0]).toMatch(/"Token Realm: Any \| one realm".*anonymous@kandy\.example/);
    expect(second?.steps[2]).toMatchObject({ where: 'portal', title: expect.stringContaining(`${REALM}-3`) });
    expect(second?.refusedByGateway[1]).toContain('from step 5 on');
    expect(second?.steps[4]?.title).toBe(`let the destinations use ${REALM}-3`);
  });

  it('goes on from a key that is pending already', async () => {
    const plan = await planOf([key(3, KeyState.PENDING), active], [REALM]);
    expect(plan.nextVersion).toBe(3);
    expect(plan.ways[0]?.steps[0]).toMatchObject({
      commands: [],
      notes: [expect.stringContaining('fingerprint f3, is PENDING')],
    });
  });

  it('writes names as a shell wants them, so that what is typed does what it says', async () => {
    const realm = "-it's$(x)";
    const document = {
      ...configuration,
      realms: [{ name: realm, cipher: Cipher.AES_256_CBC_HMAC_SHA256, tokenLifetime: { seconds: 60n } }],
    };
    const [same] = commandsOf(await planOf([active], ['--', realm], document));
    expect(same?.[0]).toBe(`callpass key add --generate -- '-it'\\''s$(x)'`);
  });

  it('reads as a list of steps, and never names more destinations than anybody reads', async () => {
    const destinations = Array.from({ length: 1000 }, (_, i) => ({
      id: `line-${i}`,
      realm: REALM,
      account: `a${i}@b`,
    }));
    const run = await callpass([active], [REALM], { ...configuration, destinations });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('a retired key still validates for: 630 s');
    expect(run.stdout).toContain('  4. [callpass] encrypt with the new key: the window closes within 2 s\n');
    expect(run.stdout).toContain('       callpass key activate support.example 3\n');
    expect(run.stdout).toContain('and 980 more');
    expect(run.stdout).not.toContain('line-20');
  });

  it('ends with 1 where there is no realm or nothing to rotate, and with 2 for a second name that is taken', async () => {
    expect(await callpass([active], ['nowhere'])).toMatchObject({
      exitCode: 1,
      stderr: 'callpass: there is no realm nowhere\n',
    });
    service?.stop();
    expect(await callpass([key(1, KeyState.PENDING)], [REALM])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('nothing to rotate'),
    });
    service?.stop();
    expect(await callpass([active], [REALM, '--new-realm', `${REALM}-2`])).toMatchObject({ exitCode: 2 });
  });
});
