// Files that import each other in a circle, types included: none of them can be read, moved or tested without the others.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../launch/prepare.mjs';

const SOURCES = ['apps', 'packages', 'tools', 'e2e'];
const NOT_SOURCES = ['node_modules', 'dist', 'gen'];

/** Gives each circle of files as one line, or nothing. */
export function checkImportCircles() {
  const files = new Set(SOURCES.flatMap((folder) => sourcesBelow(join(ROOT, folder))));
  const imports = new Map(
    [...files].map((file) => [file, importsOf(file).filter((path) => files.has(path))]),
  );
  const circles = circlesOf(imports).map((circle) => circle.map((file) => relative(ROOT, file)).join(' -> '));
  return circles.length > 0 ? circles.join('\n') : undefined;
}

function sourcesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_SOURCES.includes(entry.name) ? [] : sourcesBelow(path);
    return /\.m?[jt]s$/.test(entry.name) ? [path] : [];
  });
}

function importsOf(file) {
  const found = [];
  const visit = (node) => {
    const name = specifierOf(node);
    if (name?.text?.startsWith('.')) found.push(resolve(dirname(file), name.text));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest));
  return found;
}

function specifierOf(node) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return node.argument.literal;
  const isImportCall = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isImportCall ? node.arguments[0] : undefined;
}

/** One circle for each import that leads back to a file on the way to it. */
function circlesOf(imports) {
  const circles = [];
  const done = new Set();
  const follow = (file, way) => {
    const from = way.indexOf(file);
    if (from >= 0) circles.push([...way.slice(from), file]);
    if (from >= 0 || done.has(file)) return;
    for (const imported of imports.get(file)) follow(imported, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) follow(file, []);
  return circles;
}
