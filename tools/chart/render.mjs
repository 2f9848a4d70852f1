// `node tools/chart/render.mjs`: renders deploy/helm/callpass into deploy/kubernetes, one file for each template.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import Ajv from 'ajv';
import { parse } from 'yaml';
import { ROOT } from '../launch/prepare.mjs';

const CHART = join(ROOT, 'deploy/helm/callpass');
const OUTPUT = join(ROOT, 'deploy/kubernetes');

/** Files of the chart that templates read; their folders are links to those of deploy/. */
const FILES = ['files/prometheus/rules.yaml', 'files/prometheus/alerts.yaml', 'files/grafana/callpass.json'];

/** Folders of deploy/kubernetes, each rendered from the values beside it. */
export const FLAVOURS = ['base', 'mesh'];

/** Path of a flavour's values. */
export const valuesOf = (flavour) => join(OUTPUT, `${flavour}-values.yaml`);

/**
 * Renders the chart for a first installation with the release and the namespace `callpass`. Gives the text of each manifest by its
 * name; throws an Error that says what is wrong with the values or a template.
 */
export function renderChart(valuesFile, release = {}) {
  const values = merged(
    parse(read('values.yaml')),
    valuesFile ? (parse(readFileSync(valuesFile, 'utf8')) ?? {}) : {},
  );
  const problems = valueProblems(values);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const { name, version, appVersion } = parse(read('Chart.yaml'));
  const input = {
    Templates: Object.fromEntries(
      readdirSync(join(CHART, 'templates')).map((file) => [file, read(`templates/${file}`)]),
    ),
    Files: Object.fromEntries(FILES.map((file) => [file, read(file)])),
    Context: {
      Values: values,
      Chart: { Name: name, Version: version, AppVersion: appVersion },
      Release: { Name: 'callpass', Namespace: 'callpass', Service: 'Helm', IsInstall: true, ...release },
    },
  };
  const { status, stdout, stderr } = spawnSync(engine(), {
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(stderr);
  return Object.fromEntries(
    Object.entries(JSON.parse(stdout))
      .filter(([file, text]) => file.endsWith('.yaml') && text.trim() !== '')
      .map(([file, text]) => [file, `${text.replaceAll(/^[ \t]+\n/gm, '').trim()}\n`]),
  );
}

/** Problems of values by values.schema.json, as Helm finds them. */
export function valueProblems(values) {
  const ajv = new Ajv({ allErrors: true });
  const isValid = ajv.compile(JSON.parse(read('values.schema.json')));
  if (isValid(values)) return [];
  return isValid.errors.map(
    ({ instancePath, message, params }) => `values${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** Values over those of the chart, as Helm merges them: maps key by key, null removes a key, all else is replaced. */
export function merged(below, above) {
  const isMap = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(below) || !isMap(above)) return above;
  const all = { ...below };
  for (const [key, value] of Object.entries(above)) {
    if (value === null) delete all[key];
    else all[key] = key in below ? merged(below[key], value) : value;
  }
  return all;
}

const read = (file) => readFileSync(join(CHART, file), 'utf8');

/** The compiled engine, built from Debian's Go and sprig when its source has changed. */
function engine() {
  const source = join(import.meta.dirname, 'engine.go');
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const folder = join(ROOT, '.nx', 'chart');
  const program = join(folder, `engine-${digest}`);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const partial = `${program}.${process.pid}`;
  const { status, stderr, error } = spawnSync('go', ['build', '-o', partial, source], {
    env: { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '', CGO_ENABLED: '0' },
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(
      `the chart's engine is not built (needs Debian's golang-go, golang-github-masterminds-sprig-dev, golang-github-ghodss-yaml-dev): ${error?.message ?? stderr}`,
    );
  renameSync(partial, program);
  return program;
}

/** Files of deploy/kubernetes as they should be: the text by path. */
export function renderedFiles() {
  return Object.fromEntries(
    FLAVOURS.flatMap((flavour) =>
      Object.entries(renderChart(valuesOf(flavour))).map(([file, text]) => [
        join(OUTPUT, flavour, file),
        `# Rendered from deploy/helm/callpass with ${basename(valuesOf(flavour))}: node tools/chart/render.mjs\n${text}`,
      ]),
    ),
  );
}

/** Paths of deploy/kubernetes that differ from what the chart renders, also files that it does not render. */
export function driftOfRendered() {
  const wanted = renderedFiles();
  const present = FLAVOURS.flatMap((flavour) => {
    const folder = join(OUTPUT, flavour);
    return existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  });
  return [...new Set([...present, ...Object.keys(wanted)])]
    .filter((file) => !existsSync(file) || readFileSync(file, 'utf8') !== wanted[file])
    .map((file) => relative(ROOT, file));
}

if (process.argv[1] === import.meta.filename) {
  const files = renderedFiles();
  for (const flavour of FLAVOURS) {
    rmSync(join(OUTPUT, flavour), { recursive: true, force: true });
    mkdirSync(join(OUTPUT, flavour), { recursive: true });
  }
  for (const [file, text] of Object.entries(files)) writeFileSync(file, text);
}
