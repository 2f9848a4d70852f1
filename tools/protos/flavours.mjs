// The flavours in which the contract is released. Each is made from the text of `proto/`, so that its comments stay.
//
// - rules: with the rules of protovalidate as options.
// - plain: the rules are comments. It imports nothing but protos that every language has.
//
// Both compile with protoc 3.21: `debug_redact`, which older compilers do not know, is a comment in both.

const PACKAGE = 'callpass/v1';

/** Options of each file for the code generators of other languages. */
const LANGUAGE_OPTIONS = (file) => [
  `option csharp_namespace = "Callpass.V1";`,
  `option go_package = "callpass/gen/${PACKAGE};callpassv1";`,
  `option java_multiple_files = true;`,
  `option java_outer_classname = "${outerClass(file)}";`,
  `option java_package = "callpass.v1";`,
  `option php_namespace = "Callpass\\\\V1";`,
  `option ruby_package = "Callpass::V1";`,
];

/** Flavours by name: the options that stay, the imports that go. */
export const FLAVOURS = {
  rules: { keeps: (option) => !isRedaction(option), drops: () => false },
  plain: {
    keeps: (option) => !isRedaction(option) && !option.startsWith('('),
    // What only defines options.
    drops: (path) =>
      path.startsWith('buf/validate/') ||
      path === 'callpass/v1/field_rules.proto' ||
      path === 'google/rpc/code.proto' ||
      path === 'google/protobuf/descriptor.proto',
  },
};

/** The text of a proto file of the contract in a flavour; undefined for a file that the flavour does not have. */
export function inFlavour(file, source, name) {
  const flavour = FLAVOURS[name];
  if (flavour.drops(file)) return undefined;
  let text = withoutImports(source, flavour.drops);
  if (name === 'plain') text = withoutOptionDefinitions(text);
  text = withOptionsAsComments(text, flavour.keeps);
  return withLanguageOptions(text, LANGUAGE_OPTIONS(file));
}

function isRedaction(option) {
  return /^debug_redact\b/.test(option);
}

function outerClass(file) {
  const base = file.split('/').at(-1).replace('.proto', '');
  const words = base.split('_').map((word) => word[0].toUpperCase() + word.slice(1));
  return `${words.join('')}Proto`;
}

function withoutImports(source, drops) {
  return source.replace(/^import "([^"]+)";\n/gm, (line, path) => (drops(path) ? '' : line));
}

/** Leaves out `extend google.protobuf.…Options { … }` with the comment above it. */
function withoutOptionDefinitions(source) {
  return source.replace(/(?:^\/\/.*\n)*^extend google\.protobuf\.\w+Options \{\n(?:.*\n)*?^\}\n\n?/gm, '');
}

function withLanguageOptions(source, options) {
  const heads = [...source.matchAll(/^(?:package|import) .*;\n/gm)];
  const last = heads.at(-1);
  const end = last.index + last[0].length;
  return `${source.slice(0, end)}\n${options.join('\n')}\n${source.slice(end)}`;
}

/** Options that do not stay become comments above what they are on. */
function withOptionsAsComments(source, keeps) {
  let result = '';
  let at = 0;
  for (const { kind, start, end } of optionsIn(source)) {
    const options = splitOptions(source.slice(start, end));
    const gone = options.filter((option) => !keeps(option));
    if (gone.length === 0) continue;
    const lineStart = source.lastIndexOf('\n', start - 1) + 1;
    const indent = /^ */.exec(source.slice(lineStart))[0];
    result += source.slice(at, lineStart);
    result += gone.map((option) => `${indent}// ${asComment(option)}\n`).join('');
    const kept = options.filter(keeps);
    if (kind === 'list') {
      result += source.slice(lineStart, start - 1).trimEnd();
      if (kept.length > 0) result += ` [${kept.join(', ')}]`;
      at = end + 1;
    } else {
      // A statement of its own; its line goes with it.
      at = source.indexOf('\n', end) + 1;
    }
  }
  return result + source.slice(at);
}

function asComment(option) {
  if (isRedaction(option)) return 'Secret: keep it out of logs.';
  const text = option.replace(/\s+/g, ' ').replace(/^\(buf\.validate\.\w+\)\.(cel = )?/, '');
  const status = /^\(grpc_status\) = (\w+)$/.exec(text);
  if (status) return `Status: ${status[1]}.`;
  const message = /^\(default_message\) = (".*")$/.exec(text);
  if (message) return `Message: ${JSON.parse(message[1])}.`;
  return `Rule: ${text}`;
}

/** The option lists `[…]` of fields and values, and the statements `option (…) = …;`, in the order of the text. */
function* optionsIn(source) {
  for (const { text, at } of tokens(source)) {
    if (text === '[') {
      const end = closing(source, at, '[', ']');
      yield { kind: 'list', start: at + 1, end };
    } else if (text === 'option' && /^option\s+\(/.test(source.slice(at))) {
      yield { kind: 'statement', start: at + 'option'.length, end: closing(source, at, undefined, ';') };
    }
  }
}

/** Words and signs outside of comments and strings; what stands inside of option lists among them. */
function* tokens(source) {
  let inside = 0;
  for (const match of source.matchAll(
    /\/\/.*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\w+|[^\s\w]/g,
  )) {
    const [text] = match;
    if (/^(\/\/|\/\*|["'])/.test(text)) continue;
    if (text === ']') inside--;
    if (inside === 0) yield { text, at: match.index };
    if (text === '[') inside++;
  }
}

/** The position of the sign that ends what begins at `at`. */
function closing(source, at, opens, closes) {
  let depth = 0;
  for (const { text, index } of signs(source, at)) {
    if (text === opens || text === '{') depth++;
    else if (text === '}') depth--;
    else if (text === closes && (opens === undefined ? depth === 0 : --depth === 0)) return index;
  }
  throw new Error(`an option of the contract does not end: ${source.slice(at, at + 60)}`);
}

function* signs(source, from) {
  const pattern = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\/\/.*|[[\]{},;]/g;
  pattern.lastIndex = from;
  for (let match; (match = pattern.exec(source)) !== null;) yield { text: match[0], index: match.index };
}

/** The options of a list, without the commas between them. */
function splitOptions(list) {
  const options = [];
  let depth = 0;
  let start = 0;
  for (const { text, index } of signs(list, 0)) {
    if (text === '[' || text === '{') depth++;
    else if (text === ']' || text === '}') depth--;
    else if (text === ',' && depth === 0) {
      options.push(list.slice(start, index).trim());
      start = index + 1;
    }
  }
  options.push(list.slice(start).trim());
  return options.filter((option) => option !== '');
}
