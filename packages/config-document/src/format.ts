import { toJson } from '@bufbuild/protobuf';
import { ConfigurationSchema, type Configuration } from '@callpass/contract';
import { stringify } from 'yaml';

/** Writes a configuration as the YAML document that gives it back when read. */
export function formatConfigurationDocument(configuration: Configuration): string {
  return stringify(toJson(ConfigurationSchema, configuration), { lineWidth: 0 });
}
