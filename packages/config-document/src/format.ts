import { toJson } from '@bufbuild/protobuf';
import { ConfigurationSchema, type Configuration } from '@callpass/contract';
import { stringify } from 'yaml';

/**
 * Writes a configuration as YAML that {@link parseConfigurationDocument} reads back unchanged.
 *
 * @example
 * ```ts
 * writeFileSync('callpass.yaml', formatConfigurationDocument(configuration));
 * ```
 */
export function formatConfigurationDocument(configuration: Configuration): string {
  return stringify(toJson(ConfigurationSchema, configuration), { lineWidth: 0 });
}
