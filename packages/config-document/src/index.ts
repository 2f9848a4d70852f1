export { parseConfigurationDocument, type ConfigurationDocument } from './parse.ts';
export { DocumentError, type DocumentProblem } from './document-error.ts';
export { formatConfigurationDocument } from './format.ts';
