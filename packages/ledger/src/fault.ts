/** First entry of a chain that does not hold, or a fault of what lies beside the ledger. */
export interface LedgerFault {
  /** Empty for a fault that concerns no chain: of configuration, keys, freezes or their record. */
  readonly writerId: string;
  /** 0 where no entry is concerned. */
  readonly sequence: number;
  /** The fault, in words. */
  readonly text: string;
}
