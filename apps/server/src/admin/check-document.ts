import { DocumentError, parseConfigurationDocument, type DocumentProblem } from '@callpass/config-document';
import { ConfigurationSchema } from '@callpass/contract';
import { warnings } from '@callpass/domain';
import { findViolations, satisfiesCompiledRules } from '@callpass/grpc-kit';
import { configurationFromMessage } from '../state/configuration-from-message.ts';
import { problemsOf } from './configuration.ts';

/** Everything the service would say to a configuration document, with lines, without a running service. */
export function checkDocument(text: string): {
  problems: readonly DocumentProblem[];
  warnings: readonly string[];
} {
  let document: ReturnType<typeof parseConfigurationDocument>;
  try {
    document = parseConfigurationDocument(text);
  } catch (error) {
    if (error instanceof DocumentError) return { problems: error.problems, warnings: [] };
    throw error;
  }
  const { configuration } = document;
  const violations = satisfiesCompiledRules(ConfigurationSchema, configuration)
    ? []
    : findViolations(ConfigurationSchema, configuration);
  const found =
    violations.length > 0
      ? violations.map(({ field, description }) => ({ path: field, message: description }))
      : problemsOf(configuration);
  const problems = found.map(({ path, message }) => ({ path, message, ...document.locate(path) }));
  return {
    problems: problems.sort((a, b) => a.line - b.line),
    warnings: problems.length > 0 ? [] : warnings(configurationFromMessage(configuration)),
  };
}
