import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseConfigurationDocument } from '@callpass/config-document';
import { create, enumToJson } from '@bufbuild/protobuf';
import {
  ConfigurationChange_KindSchema,
  ConfigurationSchema,
  KeyState,
  KeyStateSchema,
  VerdictSchema,
  type TimeLimitedCredentials,
} from '@callpass/contract';
import { ecbToken } from '../testing/by-hand.ts';
import { refusalOf } from '../testing/refusal.ts';
import { DOCUMENT, startTestServer, type TestServer } from '../testing/test-server.ts';

const KEY = 'realm-key-16byte';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.stop());

const read = (text: string) => parseConfigurationDocument(text).configuration;

const SMALL = `
realms: [{ name: r, cipher: AES_128_ECB, tokenLifetime: 60s }]
destinations: [{ id: d, realm: r, account: a@x.example, callees: [b@x.example] }]
`;

describe('ApplyConfiguration', () => {
  it('puts a document in force as a whole, and gives it back', async () => {
    const configuration = read(DOCUMENT);
    const { revision } = await server.admin.applyConfiguration({ configuration, expectedRevision: 0 });
    expect(revision).toBe(1);
    const answer = await server.admin.getConfiguration({});
    expect(answer.configuration).toEqual(configuration);
    expect(answer.revision).toMatchObject({ revision: 1, appliedBy: 'local' });
  });

  it('dry run shows what would change, and changes nothing', async () => {
    await server.configure(SMALL);
    const configuration = read(SMALL.replace('60s', '90s').replace('id: d', 'id: e'));
    const { changes, revision } = await server.admin.applyConfiguration({
      configuration,
      expectedRevision: 1,
      dryRun: true,
    });
    expect(revision).toBe(1);
    expect(
      changes.map(({ kind, path, before, after }) =>
        [enumToJson(ConfigurationChange_KindSchema, kind), path, before, after].slice(0, 4),
      ),
    ).toEqual([
      ['CHANGED', 'realms[r].tokenLifetime', '"60s"', '"90s"'],
      ['ADDED', 'destinations[e]', '', expect.stringContaining('"id":"e"')],
      ['REMOVED', 'destinations[d]', expect.stringContaining('"id":"d"'), ''],
    ]);
    expect((await server.admin.getConfiguration({})).configuration).toEqual(read(SMALL));
  });

  it('of two operators at once one wins, and the other is told', async () => {
    const apply = (text: string) =>
      server.admin.applyConfiguration({ configuration: read(text), expectedRevision: 0 });
    const outcomes = await Promise.allSettled([apply(SMALL), apply(SMALL.replace('60s', '61s'))]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await refusalOf(apply(SMALL))).toMatchObject({
      code: 'ABORTED',
      reason: 'REVISION_CONFLICT',
      metadata: { currentRevision: '1' },
    });
  });

  it('refuses a document that does not hold, with every problem, and keeps the old one', async () => {
    await server.configure(SMALL);
    const bad = read(`
realms: [{ name: r, cipher: AES_128_ECB, tokenLifetime: 60s }, { name: r, cipher: AES_128_ECB, tokenLifetime: 60s }]
destinations:
  - { id: d, realm: nowhere, account: a@x.example, callees: ["*@x.example"] }
  - { id: e, account: a@x.example, callees: [b@x.example] }
clients: [{ name: c, grants: [{ role: ISSUER, destinations: [ghost] }] }]
`);
    const refusal = await refusalOf(
      server.admin.applyConfiguration({ configuration: bad, expectedRevision: 1 }),
    );
    expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'REQUEST_INVALID' });
    expect(refusal.fields).toEqual(
      expect.arrayContaining([
        'configuration.realms[1].name',
        'configuration.destinations[0].realm',
        'configuration.destinations[0].callees[0]',
        'configuration.destinations[1].realm',
        'configuration.clients[0].grants[0].destinations[0]',
      ]),
    );
    expect((await server.admin.getConfiguration({})).revision?.revision).toBe(1);
  });

  it.each([
    ['an account with ;', SMALL.replace('a@x.example', '"a;b@x.example"'), 'destinations[0].account'],
    ['a user id of over 256 bytes', SMALL.replace('a@x', `${'a'.repeat(250)}@x`), 'destinations[0].account'],
    ['a lifetime of nothing', SMALL.replace('60s', '0s'), 'realms[0].token_lifetime'],
    ['no cipher', SMALL.replace('cipher: AES_128_ECB, ', ''), 'realms[0].cipher'],
    [
      'a zone that does not exist',
      SMALL.replace('id: d,', 'id: d, hours: { timeZone: Mars/Base, open: ["Mon 08:00-09:00"] },'),
      'destinations[0].hours.timeZone',
    ],
  ])('refuses %s and names the field', async (_, text, path) => {
    const refusal = await refusalOf(
      server.admin.applyConfiguration({ configuration: read(text), expectedRevision: 0 }),
    );
    expect(refusal.fields).toContain(`configuration.${path}`);
  });

  it.each([{ dryRun: false }, { dryRun: true }, { force: true }])(
    'refuses an empty configuration, which would remove everything, unless it is said to be meant: %j',
    async (options) => {
      await server.configure(SMALL);
      const apply = { configuration: create(ConfigurationSchema), expectedRevision: 1, ...options };
      const refusal = await refusalOf(server.admin.applyConfiguration(apply));
      expect(refusal).toMatchObject({ reason: 'REQUEST_INVALID', fields: ['configuration'] });
      expect(refusal.message).toContain('allow_empty');
      expect((await server.admin.getConfiguration({})).configuration).toEqual(read(SMALL));
      const { changes } = await server.admin.applyConfiguration({ ...apply, allowEmpty: true });
      expect(changes.map(({ path }) => path)).toEqual(['realms[r]', 'destinations[d]']);
    },
  );

  it('refuses an empty configuration where there was none, too', async () => {
    const apply = { configuration: create(ConfigurationSchema), expectedRevision: 0 };
    expect((await refusalOf(server.admin.applyConfiguration(apply))).fields).toEqual(['configuration']);
    expect((await server.admin.applyConfiguration({ ...apply, allowEmpty: true })).revision).toBe(1);
  });

  it('refuses to remove a realm whose tokens are still valid, unless forced', async () => {
    await server.configure(SMALL);
    await server.activateKey('r', KEY);
    const empty = { configuration: read('{}'), expectedRevision: 1, allowEmpty: true };
    expect(await refusalOf(server.admin.applyConfiguration(empty))).toMatchObject({ reason: 'REALM_IN_USE' });
    expect((await server.admin.applyConfiguration({ ...empty, force: true })).revision).toBe(2);
  });

  it('refuses another cipher for a realm that has keys', async () => {
    await server.configure(SMALL);
    await server.activateKey('r', KEY);
    const configuration = read(SMALL.replace('AES_128_ECB', 'AES_256_CBC_HMAC_SHA256'));
    expect(
      (await refusalOf(server.admin.applyConfiguration({ configuration, expectedRevision: 1 }))).fields,
    ).toEqual(['configuration.realms[0].cipher']);
  });

  it('is in force on another instance without a restart', async () => {
    const other = await startTestServer({ environment: server.environment });
    try {
      await server.configure(SMALL);
      await server.activateKey('r', KEY);
      // Bounded by the contract's 2 s; asked every few milliseconds instead of waiting blindly.
      const deadline = Date.now() + 2000;
      let refused = true;
      while (refused && Date.now() < deadline) {
        refused = await other.credentials.issueCredentials({ destination: 'd' }).then(
          () => false,
          () => true,
        );
      }
      expect(refused).toBe(false);
    } finally {
      await other.stop();
    }
  });

  it('lists the revisions, newest first, by page', async () => {
    for (const lifetime of ['61s', '62s', '63s']) await server.configure(SMALL.replace('60s', lifetime));
    const first = await server.admin.listConfigurationRevisions({ pageSize: 2 });
    expect(first.revisions.map(({ revision }) => revision)).toEqual([3, 2]);
    const rest = await server.admin.listConfigurationRevisions({
      pageSize: 2,
      pageToken: first.nextPageToken,
    });
    expect(rest.revisions.map(({ revision }) => revision)).toEqual([1]);
    expect(rest.nextPageToken).toBe('');
    expect(await refusalOf(server.admin.getConfiguration({ revision: 9 }))).toMatchObject({
      reason: 'REVISION_UNKNOWN',
    });
  });
});

describe('realm keys', () => {
  beforeEach(() => server.configure(SMALL));

  it.each([
    ['1234567890abcdefg', 17],
    ['short', 5],
    ['ü'.repeat(16), 32],
  ])('refuses a key of the wrong length with found and needed', async (key, found) => {
    const refusal = await refusalOf(server.admin.addRealmKey({ realm: 'r', key }));
    expect(refusal.violations[0]).toMatchObject({
      field: 'key',
      description: `has ${found} bytes; AES_128_ECB needs 16`,
    });
    expect(JSON.stringify(refusal)).not.toContain(key);
  });

  it('generates a key, shows it once, and lists it by fingerprint only', async () => {
    const { generatedKey, realmKey } = await server.admin.addRealmKey({ realm: 'r' });
    expect(generatedKey).toMatch(/^[A-Za-z0-9]{16}$/);
    expect(realmKey).toMatchObject({ realm: 'r', version: 1, state: KeyState.PENDING });
    expect(realmKey?.fingerprint).toMatch(/^[0-9a-f]{16}$/);
    const { realmKeys } = await server.admin.listRealmKeys({});
    expect(
      JSON.stringify(realmKeys, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain(generatedKey);
  });

  it('a retired key still validates until its last token has run out', async () => {
    await server.activateKey('r', KEY);
    const { grant } = await server.credentials.issueCredentials({ destination: 'd' });
    const token = grant.case === 'timeLimited' ? grant.value.toToken : '';
    server.clock.nowMs += 10_000;
    const second = await server.activateKey('r', 'another-16-bytes');
    const fresh = await server.credentials.issueCredentials({ destination: 'd' });
    expect(fresh.keyVersion).toBe(second);
    const validate = async () =>
      enumToJson(VerdictSchema, (await server.credentials.validateToken({ realm: 'r', token })).verdict);
    expect(await validate()).toBe('VALID');
    const { realmKeys } = await server.admin.listRealmKeys({ realm: 'r' });
    expect(realmKeys.map(({ version, state }) => [version, enumToJson(KeyStateSchema, state)])).toEqual([
      [2, 'ACTIVE'],
      [1, 'RETIRED'],
    ]);
    expect(await refusalOf(server.admin.destroyRealmKey({ realm: 'r', version: 1 }))).toMatchObject({
      reason: 'KEY_STATE_INVALID',
    });
    server.clock.nowMs += 60_000 + 30_000;
    await server.admin.destroyRealmKey({ realm: 'r', version: 1 });
    expect(await validate()).toBe('UNDECIPHERABLE');
  });

  describe('a leaked key is destroyed by force, with a reason', () => {
    const destroy = (force: boolean, reason = '') =>
      server.admin.destroyRealmKey({ realm: 'r', version: 1, force, reason });
    const issue = (requestId = '') => server.credentials.issueCredentials({ destination: 'd', requestId });
    const validate = async (token: string) =>
      enumToJson(VerdictSchema, (await server.credentials.validateToken({ realm: 'r', token })).verdict);
    const tokenOf = ({ grant }: Awaited<ReturnType<typeof issue>>) =>
      grant.case === 'timeLimited' ? grant.value.toToken : '';

    it.each([
      ['active', false],
      ['retired', true],
    ])('while it is %s and its tokens live: none of them is valid any more', async (_state, retired) => {
      await server.activateKey('r', KEY);
      const token = tokenOf(await issue());
      if (retired) await server.activateKey('r', 'another-16-bytes');
      expect(await validate(token)).toBe('VALID');
      expect(await refusalOf(destroy(false, 'leaked'))).toMatchObject({ reason: 'KEY_STATE_INVALID' });
      expect(await refusalOf(destroy(true))).toMatchObject({ reason: 'REQUEST_INVALID', fields: ['reason'] });
      expect((await destroy(true, 'leaked')).realmKey).toMatchObject({ state: KeyState.DESTROYED });
      expect(await validate(token)).toBe('UNDECIPHERABLE');
      if (!retired) expect(await refusalOf(issue())).toMatchObject({ reason: 'KEY_NOT_ACTIVE' });
      expect(await refusalOf(destroy(true, 'again'))).toMatchObject({ reason: 'KEY_STATE_INVALID' });
    });

    it('and is recorded with the reason', async () => {
      await server.activateKey('r', KEY);
      await destroy(true, 'found in a public log');
      const { entries } = await server.ledger.listEntries({});
      expect(entries.at(-1)).toMatchObject({
        realm: 'r',
        keyVersion: 1,
        reason: 'DESTROYED',
        rule: 'forced: found in a public log',
      });
    });

    it('and is not taken again under another version, which would bring its tokens back', async () => {
      await server.activateKey('r', KEY);
      await destroy(true, 'leaked');
      expect(await refusalOf(server.admin.addRealmKey({ realm: 'r', key: KEY }))).toMatchObject({
        reason: 'REQUEST_INVALID',
        fields: ['key'],
      });
    });

    it('and the answer to a request id that holds its tokens is not given again', async () => {
      const requestId = '7d7d0d1e-4d0a-4a4e-8a39-1f6d0f9d3f10';
      await server.activateKey('r', KEY);
      const first = await issue(requestId);
      await server.activateKey('r', 'another-16-bytes');
      expect(await issue(requestId)).toEqual(first);
      await destroy(true, 'leaked');
      expect(await refusalOf(issue(requestId))).toMatchObject({ reason: 'KEY_NOT_ACTIVE' });
    });
  });

  it('takes a key again that was destroyed after its last token had run out', async () => {
    await server.activateKey('r', KEY);
    await server.activateKey('r', 'another-16-bytes');
    server.clock.nowMs += 90_000;
    await server.admin.destroyRealmKey({ realm: 'r', version: 1 });
    expect((await server.admin.addRealmKey({ realm: 'r', key: KEY })).realmKey?.version).toBe(3);
  });

  it('keeps to the order of its states', async () => {
    await server.activateKey('r', KEY);
    const step = { realm: 'r', version: 1 };
    expect(await refusalOf(server.admin.activateRealmKey(step))).toMatchObject({
      reason: 'KEY_STATE_INVALID',
    });
    expect(await refusalOf(server.admin.destroyRealmKey(step))).toMatchObject({
      reason: 'KEY_STATE_INVALID',
    });
    await server.admin.retireRealmKey(step);
    expect(await refusalOf(server.credentials.issueCredentials({ destination: 'd' }))).toMatchObject({
      reason: 'KEY_NOT_ACTIVE',
    });
    expect(await refusalOf(server.admin.activateRealmKey(step))).toMatchObject({
      reason: 'KEY_STATE_INVALID',
    });
    expect(await refusalOf(server.admin.activateRealmKey({ realm: 'r', version: 7 }))).toMatchObject({
      reason: 'KEY_UNKNOWN',
    });
    expect(await refusalOf(server.admin.addRealmKey({ realm: 'nowhere' }))).toMatchObject({
      reason: 'REALM_UNKNOWN',
    });
  });
});

describe('freezes', () => {
  it('lists what is frozen, a subject only by its hash, and forgets what has run out', async () => {
    await server.configure(SMALL);
    const until = { seconds: BigInt(Math.floor(server.clock.nowMs / 1000) + 60) };
    await server.admin.freeze({
      scope: { scope: { case: 'subject', value: 'canary-visitor' } },
      reason: 'abuse',
      until,
    });
    const { freezes } = await server.admin.listFreezes({});
    expect(freezes[0]).toMatchObject({ reason: 'abuse', frozenBy: 'local' });
    expect(freezes[0]?.scope?.scope).toEqual({
      case: 'subjectHash',
      value: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    server.clock.nowMs += 61_000;
    expect((await server.admin.listFreezes({})).freezes).toEqual([]);
  });

  it('survives a restart', async () => {
    await server.configure(SMALL);
    await server.activateKey('r', KEY);
    await server.admin.freeze({ scope: { scope: { case: 'realm', value: 'r' } }, reason: 'leak' });
    const other = await startTestServer({ environment: server.environment });
    try {
      expect(await refusalOf(other.credentials.issueCredentials({ destination: 'd' }))).toMatchObject({
        reason: 'FROZEN',
      });
    } finally {
      await other.stop();
    }
  });

  it.each([
    ['realm', 'nowhere', 'REALM_UNKNOWN'],
    ['destination', 'nowhere', 'DESTINATION_UNKNOWN'],
    ['client', 'nobody', 'REQUEST_INVALID'],
  ] as const)(
    'refuses a %s that does not exist: a typing error must not look like success',
    async (scope, value, reason) => {
      const call = server.admin.freeze({ scope: { scope: { case: scope, value } }, reason: 'leak' });
      expect(await refusalOf(call)).toMatchObject({ reason });
    },
  );

  it('refuses an end that is over', async () => {
    const until = { seconds: BigInt(Math.floor(server.clock.nowMs / 1000) - 1) };
    const call = server.admin.freeze({
      scope: { scope: { case: 'subject', value: 'x' } },
      reason: 'leak',
      until,
    });
    expect(await refusalOf(call)).toMatchObject({ reason: 'REQUEST_INVALID', fields: ['until'] });
  });

  it('says so where there is nothing to lift', async () => {
    expect(
      await refusalOf(server.admin.unfreeze({ scope: { scope: { case: 'client', value: 'nobody' } } })),
    ).toMatchObject({ code: 'NOT_FOUND', reason: 'FREEZE_UNKNOWN' });
  });
});

describe('ExplainToken', () => {
  it('says in words what is wrong', async () => {
    await server.configure(SMALL);
    await server.activateKey('r', KEY);
    const seconds = Math.floor(server.clock.nowMs / 1000);
    const answer = await server.admin.explainToken({
      realm: 'r',
      token: ecbToken(KEY, `user@x.example;${seconds}`),
    });
    expect(enumToJson(VerdictSchema, answer.summary?.verdict ?? 0)).toBe('WRONG_TIME_UNIT');
    expect(answer.findings.map(({ code }) => code)).toContain('SECONDS_FOR_MILLISECONDS');
    expect(await refusalOf(server.admin.explainToken({ realm: 'nowhere', token: '' }))).toMatchObject({
      reason: 'REALM_UNKNOWN',
    });
  });

  it.each([
    ['realm', 'r'],
    ['destination', 'd'],
    ['client', 'local'],
    ['subject', 'visitor-1'],
  ] as const)(
    'calls no token valid whose %s is frozen, in no case of its hexadecimal',
    async (scope, value) => {
      await server.configure(SMALL);
      await server.activateKey('r', KEY);
      const { grant } = await server.credentials.issueCredentials({ destination: 'd', subject: 'visitor-1' });
      const { toToken } = grant.value as TimeLimitedCredentials;
      const explain = async (token: string) => {
        const { summary, findings } = await server.admin.explainToken({ realm: 'r', token });
        return [enumToJson(VerdictSchema, summary?.verdict ?? 0), ...findings.map(({ code }) => code)];
      };
      await server.admin.freeze({ scope: { scope: { case: scope, value } }, reason: 'test' });
      for (const token of [
        toToken,
        toToken.toLowerCase(),
        toToken.slice(0, 7).toLowerCase() + toToken.slice(7),
      ])
        expect(await explain(token)).toEqual(['FROZEN', 'FROZEN']);
      await server.admin.unfreeze({ scope: { scope: { case: scope, value } } });
      expect(await explain(toToken)).toEqual(['VALID']);
    },
  );
});
