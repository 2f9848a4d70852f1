import { operands } from '../wording.ts';

/** The thing that an incident is about. A visitor by the keyed hash, so that no name stays in a channel. */
export type IncidentScope =
  | { readonly kind: 'key'; readonly realm: string; readonly version: number }
  | { readonly kind: 'client'; readonly client: string }
  | { readonly kind: 'subject'; readonly subjectHash: string };

/** Facts that decide what to do next. */
export interface IncidentFacts {
  /** Set where what was asked for is frozen: the realm of a key, a client, a visitor. */
  readonly frozen: boolean;
  /** Keys of the realm, by state. */
  readonly keys: readonly { readonly version: number; readonly state: string }[];
}

const REASON = '--reason "incident"';

/** The commands to type next, in their order, each with what it does. */
export function nextCommands(scope: IncidentScope, facts: IncidentFacts): readonly string[] {
  switch (scope.kind) {
    case 'key':
      return keyCommands(scope, facts);
    case 'client':
      return [
        ...stop('client', scope.client, facts),
        'callpass config get > configuration.yaml   # remove the identity that has leaked from the client',
        'callpass config apply -f configuration.yaml',
        `callpass unfreeze client ${operands(scope.client)}`,
      ];
    case 'subject':
      return [
        ...stop('subject-hash', scope.subjectHash, facts),
        `callpass unfreeze subject-hash ${operands(scope.subjectHash)}   # when it is over`,
      ];
  }
}

function stop(scope: string, name: string, { frozen }: IncidentFacts): string[] {
  return frozen ? [] : [`callpass freeze ${scope} ${operands(name)} ${REASON}`];
}

function keyCommands(
  { realm, version }: Extract<IncidentScope, { kind: 'key' }>,
  facts: IncidentFacts,
): readonly string[] {
  const { keys } = facts;
  const state = keys.find((key) => key.version === version)?.state;
  if (state === 'DESTROYED') {
    return facts.frozen ? [`callpass unfreeze realm ${operands(realm)}`] : [];
  }
  const waiting = keys.find((key) => key.state === 'PENDING' && key.version > version)?.version;
  const next = waiting ?? 1 + Math.max(version, ...keys.map((key) => key.version));
  const replaced = keys.some((key) => key.state === 'ACTIVE' && key.version !== version);
  return [
    ...stop('realm', realm, facts),
    ...(waiting === undefined && !replaced
      ? [`callpass key add ${operands(realm)} --generate   # type it into the portal`]
      : []),
    ...(replaced ? [] : [`callpass key activate ${operands(realm, next)}`]),
    `callpass key destroy ${operands(realm, version)} --force ${REASON}`,
    `callpass unfreeze realm ${operands(realm)}`,
  ];
}
