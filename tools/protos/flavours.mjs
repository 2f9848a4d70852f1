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
  for (const { kind, start, end, options } of optionsIn(source)) {
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
  let end = 0;
  for (const { text, at } of tokens(source, 0)) {
    if (at < end) continue;
    const isStatement = text === 'option' && /^option\s+\(/.test(source.slice(at));
    if (text !== '[' && !isStatement) continue;
    const found = readOptions(source, at + text.length, isStatement ? ';' : ']');
    ({ end } = found);
    yield { kind: isStatement ? 'statement' : 'list', ...found };
  }
}

/** Reads options from `start` to the sign that ends them, without the commas between them. */
function readOptions(source, start, closes) {
  const options = [];
  let depth = 0;
  let from = start;
  for (const { text, at } of tokens(source, start)) {
    if (depth === 0 && (text === closes || text === ',')) {
      const option = source.slice(from, at).trim();
      if (option !== '') options.push(option);
      from = at + 1;
      if (text === closes) return { start, end: at, options };
    } else if (text === '[' || text === '{') depth++;
    else if (text === ']' || text === '}') depth--;
  }
  throw new Error(`an option of the contract does not end: ${source.slice(start, start + 60)}`);
}

/** Words and signs outside of comments and strings. */
function* tokens(source, from) {
  const pattern = /\/\/.*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\w+|[^\s\w]/g;
  pattern.lastIndex = from;
  for (let match; (match = pattern.exec(source)) !== null;) {
    const [text] = match;
    if (!/^(\/\/|\/\*|["'])/.test(text)) yield { text, at: match.index };
  }
}
