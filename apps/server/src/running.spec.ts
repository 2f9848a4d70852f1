import { describe, expect, it } from '@jest/globals';
import { Running } from './running.ts';

describe('what runs', () => {
  it('is stopped the last first, once, also where one of it fails', async () => {
    const stopped: string[] = [];
    const running = new Running();
    expect(running.adopt('store', (name) => stopped.push(name))).toBe('store');
    running.defer(async () => {
      await Promise.resolve();
      stopped.push('watch');
      throw new Error('the watch');
    });
    running.defer(() => stopped.push('server'));
    await expect(running.disposeAsync()).rejects.toThrow('the watch');
    await running.disposeAsync();
    expect(stopped).toEqual(['server', 'watch', 'store']);
  });
});
