export { AliasReader, quotable, type AliasLimits } from './aliases.ts';
export { readYaml, YamlError, type YamlFault } from './read-yaml.ts';
