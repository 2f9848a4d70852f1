/**
 * Checks if tests can run that need something of the machine. If not, reports on stderr which are left out and why. With `CI=true` it
 * throws instead, since no test may be left out there.
 *
 * @param lack what is missing where `has` is false, as "redis-server is not installed".
 */
export function canRun(has: boolean, lack: string, forWhat: string): boolean {
  if (has) return true;
  if (process.env['CI'] === 'true') throw new Error(`needed in CI for ${forWhat}: ${lack}`);
  process.stderr.write(`left out, since ${lack}: ${forWhat}\n`);
  return false;
}
