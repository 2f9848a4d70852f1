export { chainsOf, exportOf, madeUpEntries, wholeExport } from './made-up-ledger.ts';
