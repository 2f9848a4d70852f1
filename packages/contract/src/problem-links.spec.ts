import { describe, expect, it } from '@jest/globals';
import { problemLinks } from './problem-links.ts';

describe('the link of a reason', () => {
  it('is a name that needs no page where the documentation is served nowhere', () => {
    expect(problemLinks()('FROZEN')).toBe('urn:callpass:problem:FROZEN');
    expect(problemLinks()('NOT_READY', 'docs/guides/edge.md')).toBe('urn:callpass:problem:NOT_READY');
  });

  it.each(['https://git.example/callpass', 'https://git.example/callpass/'])(
    'is its section below %s',
    (documentation) => {
      const linkTo = problemLinks(documentation);
      expect(linkTo('FROZEN')).toBe('https://git.example/callpass/docs/errors.md#frozen');
      expect(linkTo('NOT_READY', 'docs/guides/edge.md')).toBe(
        'https://git.example/callpass/docs/guides/edge.md#not_ready',
      );
    },
  );
});
