export { EXIT, type ExitCode } from './exit.ts';
export { isHostAndPort, splitHostAndPort, withPort } from './address.ts';
export { ignoreLostOutput, openStandardOutput, type StandardOutput } from './output.ts';
export { followFiles, type FollowedFiles } from './follow-files.ts';
export { reloadOnSignal } from './reload.ts';
export { reportReady, stopOnSignal } from './stop.ts';
export { type Build, buildOf, versionText } from './version.ts';
export { ok, printFindings, problem, skipped, warning, type Finding } from './finding.ts';
export { createCountedLines, type CountedLines } from './counted-lines.ts';
