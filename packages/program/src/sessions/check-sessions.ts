import { describeDatabaseFault } from '../describe-database-fault.ts';
import { ok, problem, type Finding } from '../finding.ts';
import { redisPlace } from '../redis-place.ts';
import type { SingleUseSettings } from './open-sessions.ts';

const CHECK = 'used tokens';

/** Findings of a doctor about the store of used tokens: none where single use is off. */
export async function checkSessions({ url, whenUnavailable }: SingleUseSettings): Promise<Finding[]> {
  if (url === 'off') return [];
  if (url === 'memory:')
    return [ok(CHECK, 'in memory: each instance knows only those that it has let through')];
  try {
    const { askRedis } = await import('../redis.ts');
    await askRedis(url, async () => undefined);
    return [ok(CHECK, `${redisPlace(url)} answers`)];
  } catch (error) {
    const outcome =
      whenUnavailable === 'refuse' ? 'no session can be opened' : 'copied tokens are let through';
    return [
      problem(
        CHECK,
        `${redisPlace(url)} does not answer, so ${outcome}: ${describeDatabaseFault(error)}`,
        'see that Redis runs and can be reached from here, and that name, password and certificate of authorize.singleUse.url are right',
      ),
    ];
  }
}
