/** What the three tokens say. */
export interface TokenSet {
  readonly realm: string;
  readonly accountToken: string;
  readonly fromToken: string;
  readonly toToken: string;
}

/** Who calls whom, `user@domain` both. */
export interface Parties {
  readonly caller: string;
  readonly callee: string;
}

/** How the gateway finds out whether tokens are good. Both reject with a `Refusal`. */
export interface Verifier {
  /** At the subscription the account token is all there is. */
  verifyAccount(realm: string, accountToken: string): Promise<void>;
  /** At the start of the call the three must be good together. */
  verifyCall(tokens: TokenSet): Promise<Parties>;
}
