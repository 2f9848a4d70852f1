/** A fault of a document and its place. */
export interface DocumentProblem {
  /** Line in the text, from 1. */
  readonly line: number;
  /** Column in the text, from 1. */
  readonly column: number;
  /** Path in the document, for example `destinations[1].realm`; empty for the document itself. */
  readonly path: string;
  /** The fault and the remedy. */
  readonly message: string;
}

/** An unusable document. Nothing of it was applied. */
export class DocumentError extends Error {
  readonly code = 'DOCUMENT_INVALID';
  /** Every problem found, in the order of the text. */
  readonly problems: readonly DocumentProblem[];

  constructor(problems: readonly DocumentProblem[]) {
    const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
    super(sorted.map(describe).join('\n'));
    this.name = 'DocumentError';
    this.problems = sorted;
  }
}

function describe({ line, column, path, message }: DocumentProblem): string {
  return `line ${line}, column ${column}: ${path === '' ? '' : `${path}: `}${message}`;
}
