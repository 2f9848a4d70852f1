import {
  encryptAll,
  type CallToEncrypt,
  type EncryptedCredentials,
  type RealmKey,
} from '@callpass/token-core';

/** Encrypts the tokens of one call. Fails, or throws, as {@link encryptAll} does. */
export type Encrypt = (
  key: RealmKey,
  call: CallToEncrypt,
) => Promise<EncryptedCredentials> | EncryptedCredentials;

/** Encrypts at once. */
export const encryptAlone: Encrypt = (key, call) => encryptAll(key, [call])[0] as EncryptedCredentials;

interface Waiting {
  readonly call: CallToEncrypt;
  readonly resolve: (tokens: EncryptedCredentials) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Creates a function that encrypts what a batch asks for in one turn of the event loop together, in one pass for each key. A call that
 * fails has its error; the others have their tokens.
 */
export function encryptTogether(): Encrypt {
  let waiting = new Map<RealmKey, Waiting[]>();
  const endTurn = () => {
    const passes = waiting;
    waiting = new Map();
    for (const [key, pass] of passes) encryptPass(key, pass);
  };
  return (key, call) =>
    new Promise((resolve, reject) => {
      if (waiting.size === 0) queueMicrotask(endTurn);
      const pass = waiting.get(key);
      if (pass) pass.push({ call, resolve, reject });
      else waiting.set(key, [{ call, resolve, reject }]);
    });
}

function encryptPass(key: RealmKey, pass: readonly Waiting[]): void {
  try {
    const tokens = encryptAll(
      key,
      pass.map(({ call }) => call),
    );
    pass.forEach(({ resolve }, index) => resolve(tokens[index] as EncryptedCredentials));
  } catch (error) {
    const [first] = pass;
    if (pass.length === 1) first?.reject(error);
    // One of them is at fault.
    else for (const each of pass) encryptPass(key, [each]);
  }
}
