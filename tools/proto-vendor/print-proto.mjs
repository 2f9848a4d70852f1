// Prints the source of a proto2 file from its descriptor (in the JSON form of google.protobuf.FileDescriptorProto).
// It knows what buf/validate/validate.proto uses and throws on anything else: a construct it would drop in silence
// would change the meaning of the file.

/** @param {Record<string, any>} file JSON form of a FileDescriptorProto with syntax proto2 */
export function printFile(file) {
  const { name, package: pkg, dependency = [], options = {}, messageType = [], enumType = [] } = file;
  const { extension = [], ...rest } = file;
  only(rest, ['name', 'package', 'dependency', 'options', 'messageType', 'enumType'], name);
  const parts = [
    'syntax = "proto2";',
    `package ${pkg};`,
    dependency.map((path) => `import "${path}";`).join('\n'),
    Object.entries(options)
      .map(([key, value]) => `option ${snake(key)} = ${constant(value)};`)
      .join('\n'),
    ...extension.map((field) => `extend ${field.extendee} {\n${indent(printField(field, ['extendee']))}\n}`),
    ...messageType.map(printMessage),
    ...enumType.map(printEnum),
  ];
  return parts.filter((part) => part !== '').join('\n\n') + '\n';
}

function printMessage(message) {
  const { name, field = [], oneofDecl = [], extensionRange = [] } = message;
  only(message, ['name', 'field', 'oneofDecl', 'extensionRange', 'reservedRange', 'reservedName'], name);
  const lines = [];
  for (let i = 0; i < field.length;) {
    const oneof = field[i].oneofIndex;
    if (oneof === undefined) {
      lines.push(printField(field[i++]));
      continue;
    }
    const members = [];
    while (i < field.length && field[i].oneofIndex === oneof) members.push(printField(field[i++], [], true));
    only(oneofDecl[oneof], ['name'], name);
    lines.push(`oneof ${oneofDecl[oneof].name} {\n${indent(members.join('\n'))}\n}`);
  }
  lines.push(...reserved(message, 1));
  for (const range of extensionRange) {
    only(range, ['start', 'end'], name);
    lines.push(`extensions ${printRange(range, 1, 536870911)};`);
  }
  return `message ${name} {\n${indent(lines.join('\n'))}\n}`;
}

function printField(field, alsoKnown = [], inOneof = false) {
  const known = [
    'name',
    'number',
    'label',
    'type',
    'typeName',
    'oneofIndex',
    'jsonName',
    'options',
    'defaultValue',
  ];
  only(field, [...known, ...alsoKnown], field.name);
  const type = field.typeName ?? field.type.slice('TYPE_'.length).toLowerCase();
  const label = inOneof ? '' : `${field.label.slice('LABEL_'.length).toLowerCase()} `;
  const options = Object.entries(field.options ?? {}).map(
    ([key, value]) => `${optionName(key)} = ${constant(value)}`,
  );
  if (field.defaultValue !== undefined) throw new Error(`${field.name}: defaults are not printed`);
  const list = options.length === 0 ? '' : ` [${options.join(', ')}]`;
  return `${label}${type} ${field.name} = ${field.number}${list};`;
}

function printEnum(desc) {
  only(desc, ['name', 'value', 'reservedRange', 'reservedName'], desc.name);
  const values = desc.value.map((value) => {
    only(value, ['name', 'number'], desc.name);
    return `${value.name} = ${value.number};`;
  });
  return `enum ${desc.name} {\n${indent([...values, ...reserved(desc, 0)].join('\n'))}\n}`;
}

// The end of a message's range is exclusive in the descriptor, that of an enum's range is inclusive.
function reserved({ reservedRange = [], reservedName = [] }, exclusive) {
  const lines = [];
  if (reservedRange.length > 0) {
    lines.push(`reserved ${reservedRange.map((range) => printRange(range, exclusive)).join(', ')};`);
  }
  if (reservedName.length > 0) lines.push(`reserved ${reservedName.map((name) => `"${name}"`).join(', ')};`);
  return lines;
}

function printRange({ start, end }, exclusive, max = 2147483647) {
  const last = end - exclusive;
  return start === last ? `${start}` : `${start} to ${last === max ? 'max' : last}`;
}

function constant(value) {
  if (typeof value === 'object' && value !== null) {
    // A list is written as one member for each value, since protobufjs reads no list of messages.
    const entries = Object.entries(value).flatMap(([key, inner]) =>
      [inner].flat().map((each) => `${snake(key)}: ${constant(each)}`),
    );
    return `{\n${indent(entries.join('\n'))}\n}`;
  }
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  throw new Error('an option value of a kind that is not printed');
}

const optionName = (key) => (key.startsWith('[') ? `(${key.slice(1, -1)})` : snake(key));
const snake = (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const indent = (text) => text.replace(/^(?=.)/gm, '  ');

function only(object, known, where) {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) throw new Error(`${where}: ${key} is not printed`);
  }
}
