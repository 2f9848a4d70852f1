// Each alert has its page and each reason says what to do, and there is none besides.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../launch/prepare.mjs';

const FOLDER = 'docs/runbooks';

/** Everything that is wrong, as one text; `undefined` when nothing is. */
export function checkRunbooks() {
  const read = (name) => readFileSync(join(ROOT, name), 'utf8');
  const alerts = parse(read('deploy/prometheus/alerts.yaml')).groups.flatMap(({ rules }) => rules);
  const pages = readdirSync(join(ROOT, FOLDER)).filter((name) => name !== 'README.md');
  // A title in words is of a section that explains, not of a reason.
  const sections = read('docs/errors.md')
    .split(/^## /m)
    .slice(1)
    .filter((section) => /^[A-Z_]+$/m.test(section.split('\n', 1)[0]));
  const [, reasons] = /enum ErrorReason \{([\s\S]*?)\n\}/.exec(read('proto/callpass/v1/error_reason.proto'));
  const names = [...reasons.matchAll(/^ {2}ERROR_REASON_([A-Z_]+) = [1-9]/gm)].map(([, name]) => name);
  const problems = [
    ...differences(
      `pages of ${FOLDER}`,
      pages,
      alerts.map(({ alert }) => `${alert}.md`),
    ),
    ...differences(
      'sections of docs/errors.md',
      sections.map((section) => section.split('\n', 1)[0].trim()),
      names,
    ),
    ...alerts
      .filter(({ alert, annotations }) => annotations.runbook !== `${FOLDER}/${alert}.md`)
      .map(({ alert }) => `${alert} does not name its page`),
    ...pages
      .filter((page) => !read(`${FOLDER}/${page}`).includes('\n## What to do\n\n1. '))
      .map((page) => `${FOLDER}/${page} does not say what to do`),
    ...sections
      .filter((section) => !/^What to do: \S/m.test(section))
      .map((section) => `docs/errors.md: ${section.split('\n', 1)[0]} does not say what to do`),
  ];
  return problems.length === 0 ? undefined : problems.join('\n');
}

function differences(what, there, wanted) {
  return [
    ...wanted.filter((name) => !there.includes(name)).map((name) => `${what}: ${name} is missing`),
    ...there.filter((name) => !wanted.includes(name)).map((name) => `${what}: ${name} is of nothing`),
  ];
}
