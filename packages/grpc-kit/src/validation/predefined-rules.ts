import { type DescExtension, type DescFile, hasOption } from '@bufbuild/protobuf';
import { predefined } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

const found = new WeakMap<DescFile, readonly DescExtension[]>();

/** Predefined rules (extensions of the rules of protovalidate) that a file declares or imports, directly or not. */
export function predefinedRulesOf(file: DescFile): readonly DescExtension[] {
  let rules = found.get(file);
  if (rules === undefined) {
    const imported = file.dependencies.flatMap(predefinedRulesOf);
    const declared = file.extensions.filter((extension) => hasOption(extension, predefined));
    found.set(file, (rules = [...new Set([...imported, ...declared])]));
  }
  return rules;
}
