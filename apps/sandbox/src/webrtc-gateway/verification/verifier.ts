/** Content of the three tokens. */
export interface TokenSet {
  readonly realm: string;
  readonly accountToken: string;
  readonly fromToken: string;
  readonly toToken: string;
}

/** Caller and callee, both as `user@domain`. */
export interface Parties {
  readonly caller: string;
  readonly callee: string;
}

/** Verifier of tokens. Both methods reject with a `Refusal`. */
export interface Verifier {
  /** At the subscription the account token is all there is. */
  verifyAccount(realm: string, accountToken: string): Promise<void>;
  /** At the start of the call the three must be good together. */
  verifyCall(tokens: TokenSet): Promise<Parties>;
}
