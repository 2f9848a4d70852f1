import type { ConfigurationDocument } from '@callpass/config-document';
import { EXIT } from '@callpass/program';
import { Failure } from '../failure.ts';
import { readText } from '../read-file.ts';
import type { Session } from '../session.ts';

/** Reads a configuration document. Throws a Failure that names the line of each fault of form. */
export async function readDocument({ terminal }: Session, file: string): Promise<ConfigurationDocument> {
  const { parseConfigurationDocument, DocumentError } = await import('@callpass/config-document');
  const text = await readText(file, terminal.stdin);
  try {
    return parseConfigurationDocument(text);
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    const violations = error.problems.map(({ path, message, line, column }) => {
      return { field: path, description: message, line, column };
    });
    throw new Failure(EXIT.failed, { message: `${file} is not a configuration`, violations }, file);
  }
}

/** Adds to what the service found the lines of the document, and takes the request's own part off the paths. */
export function withLines(
  failure: Failure,
  { document, file, doing }: { document: ConfigurationDocument; file: string; doing: string },
): Failure {
  const { violations = [], ...details } = failure.details;
  const located = violations.map(({ field, description }) => {
    const [, path] = /^configuration\.(.*)$/s.exec(field) ?? [];
    return path === undefined
      ? { field, description }
      : { field: path, description, ...document.locate(path) };
  });
  const message = located.length > 0 ? `${file} cannot be ${doing}` : details.message;
  return new Failure(failure.exitCode, { ...details, message, violations: located }, file);
}
