import { create, fromBinary } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { ConfigurationSchema, Verdict, type AdminService, type FreezeScope } from '@callpass/contract';
import type { KeyStep } from '@callpass/domain';
import type { Handlers, ServerCall } from '@callpass/grpc-kit';
import { explainToken } from '@callpass/token-core';
import { PRINCIPAL } from '../access/identify.ts';
import { kindFromMessage } from '../credentials/messages.ts';
import { rulesOf, verdictOnToken } from '../credentials/validate.ts';
import { invalidField, Refusal } from '../errors/refusal.ts';
import { freezeToMessage, keyToMessage, times } from '../state/messages.ts';
import { decryptionKeys } from '../state/snapshot.ts';
import { applyConfiguration, listRevisions, readRevision, type AdminDependencies } from './configuration.ts';
import { freeze, listFreezes, scopeOf, unfreeze } from './freezes.ts';
import { addKey, listKeys, stepKey, type KeyStepRequest } from './keys.ts';
import { changeToMessage, revisionToMessage, triedToMessage } from './messages.ts';
import { ConfigurationReplays } from './replay-configuration.ts';
import { replayFromMessage, replayToMessage } from './replay-messages.ts';
import { tryIssue, type TryDependencies } from './try-issue.ts';

/** An answer is 4 MiB at most for many clients; whoever changes this much at once does not read it line by line. */
const MAX_CHANGES = 5000;

/** Finding about a token that would be valid, or expired, if nobody had frozen it. */
const FROZEN = {
  code: 'FROZEN',
  text: 'an operator has frozen the realm, or the destination, client or subject of this token; callpass freezes shows who and why',
};

/** The handlers of AdminService: messages in, use cases, messages out. */
export function adminHandlers(
  dependencies: AdminDependencies & TryDependencies,
): Handlers<typeof AdminService> {
  const step = async (call: ServerCall, request: Omit<KeyStepRequest, 'step'>, name: KeyStep) => ({
    realmKey: keyToMessage(
      await stepKey(dependencies, call.state.require(PRINCIPAL), { ...request, step: name }),
    ),
  });
  const scope = (message: FreezeScope | undefined) => {
    if (message?.scope.case === undefined) throw invalidField('scope', 'names nothing');
    return scopeOf(message.scope, dependencies.keyedHash);
  };

  const replays = new ConfigurationReplays(dependencies);

  return {
    async getConfiguration(request) {
      const stored = await readRevision(dependencies.store, request.revision);
      return {
        configuration: stored
          ? fromBinary(ConfigurationSchema, stored.document)
          : create(ConfigurationSchema),
        revision: stored ? revisionToMessage(stored) : {},
      };
    },

    async applyConfiguration(request, call) {
      const applied = await applyConfiguration(dependencies, call.state.require(PRINCIPAL), {
        configuration: request.configuration ?? create(ConfigurationSchema),
        expectedRevision: request.expectedRevision,
        dryRun: request.dryRun,
        force: request.force,
        allowEmpty: request.allowEmpty,
      });
      return {
        revision: applied.revision,
        changes: applied.changes.slice(0, MAX_CHANGES).map(changeToMessage),
        warnings: [
          ...applied.warnings,
          ...(applied.changes.length > MAX_CHANGES
            ? [`${applied.changes.length - MAX_CHANGES} further changes are not listed`]
            : []),
        ],
      };
    },

    async listConfigurationRevisions(request) {
      const page = await listRevisions(dependencies.store, {
        size: request.pageSize,
        token: request.pageToken,
      });
      return { revisions: page.revisions.map(revisionToMessage), nextPageToken: page.nextToken };
    },

    async addRealmKey(request, call) {
      const { record, generatedKey } = await addKey(dependencies, call.state.require(PRINCIPAL), {
        realm: request.realm,
        key: request.key,
      });
      return { realmKey: keyToMessage(record), generatedKey };
    },

    async listRealmKeys(request) {
      return { realmKeys: (await listKeys(dependencies, request.realm)).map(keyToMessage) };
    },

    activateRealmKey: (request, call) => step(call, request, 'activate'),
    retireRealmKey: (request, call) => step(call, request, 'retire'),
    destroyRealmKey: (request, call) => step(call, request, 'destroy'),

    async freeze(request, call) {
      const frozen = await freeze(dependencies, call.state.require(PRINCIPAL), {
        scope: scope(request.scope),
        reason: request.reason,
        untilMs: request.until && timestampMs(request.until),
      });
      return { freeze: freezeToMessage(frozen) };
    },

    async unfreeze(request, call) {
      await unfreeze(dependencies, call.state.require(PRINCIPAL), scope(request.scope));
      return {};
    },

    async listFreezes() {
      return { freezes: (await listFreezes(dependencies)).map(freezeToMessage) };
    },

    async tryIssue(request) {
      const { destination, subject, callee, caller, client, configuration } = request;
      const atMs = request.time && timestampMs(request.time);
      const asked = { destination, subject, callee, caller, client, configuration, atMs };
      return triedToMessage(await tryIssue(dependencies, asked));
    },

    async *replayConfiguration(request, call) {
      for await (const step of replays.replay(replayFromMessage(request), call.signal))
        yield replayToMessage(step);
    },

    async explainToken(request) {
      const { snapshot } = dependencies.state;
      const realm = snapshot.realms.get(request.realm);
      if (!realm) throw new Refusal('REALM_UNKNOWN');
      const nowMs = dependencies.clock.now();
      const kind = kindFromMessage(request.kind);
      const query = { ...request, kind, requireIssuedHere: false, ignoreExpiry: false };
      const diagnosis = explainToken(decryptionKeys(realm, nowMs), request.token, {
        ...rulesOf(realm),
        nowMs,
        kind,
      });
      const verdict = await verdictOnToken(dependencies, { snapshot, realm, nowMs }, query, diagnosis);
      const findings = verdict === 'FROZEN' ? [FROZEN, ...diagnosis.findings] : diagnosis.findings;
      return {
        summary: {
          verdict: Verdict[verdict],
          user: diagnosis.user ?? '',
          keyVersion: diagnosis.keyVersion ?? 0,
          ...times({ issueTime: diagnosis.issueTimeMs, expireTime: diagnosis.expireTimeMs }),
        },
        findings: findings.map(({ code, text }) => ({ code, text })),
      };
    },
  };
}
