import { spawn } from 'node:child_process';
import { problem, type Finding } from '@callpass/program';
import { wrongUse } from '../failure.ts';

/**
 * Has `callpass-server` look at the settings, certificates and store of this machine: it is the one that knows them. It
 * must be on the PATH.
 */
export function examineLocally(settingsFile: string): Promise<readonly Finding[]> {
  return new Promise((resolve, reject) => {
    const child = spawn('callpass-server', ['doctor', '--output', 'json', '--settings', settingsFile], {
      env: process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', () => {
      reject(wrongUse('--settings needs callpass-server on the PATH; run it where the server is'));
    });
    child.on('close', () => {
      try {
        resolve((JSON.parse(stdout) as { findings: Finding[] }).findings);
      } catch {
        resolve([
          problem('this machine', `callpass-server could not look: ${stderr.trim()}`, 'see its message'),
        ]);
      }
    });
  });
}
