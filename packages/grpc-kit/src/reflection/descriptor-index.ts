import type { DescEnum, DescExtension, DescFile, DescMessage, DescService } from '@bufbuild/protobuf';
import { toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** @internal Index for reflection: the files of some services, more files, and all their imports. */
export class DescriptorIndex {
  readonly serviceNames: readonly string[];
  readonly #files = new Map<string, DescFile>();
  readonly #symbols = new Map<string, DescFile>();
  readonly #extensions = new Map<string, Map<number, DescFile>>();
  readonly #bytes = new Map<DescFile, Uint8Array>();

  constructor(services: readonly DescService[], files: readonly DescFile[]) {
    this.serviceNames = services.map((service) => service.typeName).sort();
    for (const file of [...services.map((service) => service.file), ...files]) this.#addFile(file);
  }

  fileByName(name: string): DescFile | undefined {
    return this.#files.get(protoPath(name));
  }

  /** Finds the file that declares a service, method, message, field, oneof, enum, enum value or extension. */
  fileBySymbol(symbol: string): DescFile | undefined {
    return this.#symbols.get(symbol);
  }

  fileByExtension(extendee: string, number: number): DescFile | undefined {
    return this.#extensions.get(extendee)?.get(number);
  }

  /** Lists the numbers of all known extensions of a message; undefined for an unknown message. */
  extensionNumbers(message: string): number[] | undefined {
    const numbers = this.#extensions.get(message);
    return numbers === undefined ? undefined : [...numbers.keys()].sort((a, b) => a - b);
  }

  /** Encodes the file, then all its imports, with custom options. Leaves out imports in `sent`. */
  closure(file: DescFile, sent: Set<DescFile>): Uint8Array[] {
    const found = new Set([file]);
    for (const next of found)
      for (const imported of next.dependencies) if (!sent.has(imported)) found.add(imported);
    for (const next of found) sent.add(next);
    return [...found].map((next) => this.#encode(next));
  }

  #encode(file: DescFile): Uint8Array {
    let bytes = this.#bytes.get(file);
    if (bytes === undefined) this.#bytes.set(file, (bytes = toBinary(FileDescriptorProtoSchema, file.proto)));
    return bytes;
  }

  #addFile(file: DescFile): void {
    if (this.#files.has(file.proto.name)) return;
    this.#files.set(file.proto.name, file);
    for (const imported of file.dependencies) this.#addFile(imported);
    for (const service of file.services) {
      this.#symbols.set(service.typeName, file);
      for (const method of service.methods) this.#symbols.set(`${service.typeName}.${method.name}`, file);
    }
    this.#addTypes(file, file);
  }

  #addTypes(parent: DescFile | DescMessage, file: DescFile): void {
    const messages = parent.kind === 'file' ? parent.messages : parent.nestedMessages;
    const enums = parent.kind === 'file' ? parent.enums : parent.nestedEnums;
    const extensions = parent.kind === 'file' ? parent.extensions : parent.nestedExtensions;
    messages.forEach((message) => this.#addMessage(message, file));
    enums.forEach((desc) => this.#addEnum(desc, file));
    extensions.forEach((extension) => this.#addExtension(extension, file));
  }

  #addMessage(message: DescMessage, file: DescFile): void {
    this.#symbols.set(message.typeName, file);
    this.#extensionsOf(message.typeName);
    for (const member of [...message.fields, ...message.oneofs]) {
      this.#symbols.set(`${message.typeName}.${member.name}`, file);
    }
    this.#addTypes(message, file);
  }

  #addEnum(desc: DescEnum, file: DescFile): void {
    this.#symbols.set(desc.typeName, file);
    // Enum values are in the scope of the enum's parent.
    const scope = desc.typeName.slice(0, desc.typeName.length - desc.name.length);
    for (const value of desc.values) this.#symbols.set(`${scope}${value.name}`, file);
  }

  #addExtension(extension: DescExtension, file: DescFile): void {
    this.#symbols.set(extension.typeName, file);
    this.#extensionsOf(extension.extendee.typeName).set(extension.number, file);
  }

  #extensionsOf(message: string): Map<number, DescFile> {
    let numbers = this.#extensions.get(message);
    if (numbers === undefined) this.#extensions.set(message, (numbers = new Map<number, DescFile>()));
    return numbers;
  }
}

// protobuf-es leaves out the extension in DescFile.name; descriptors and clients keep it.
function protoPath(name: string): string {
  return name.endsWith('.proto') ? name : `${name}.proto`;
}
