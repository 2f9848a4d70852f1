import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodeSchema } from '@callpass/rpc-protos/gen/google/rpc/code_pb.js';
import { describe, expect, it } from '@jest/globals';
import { ErrorReasonSchema } from './gen/callpass/v1/error_reason_pb.ts';
import { REASONS } from './reasons.ts';

const names = ErrorReasonSchema.values.filter(({ number }) => number !== 0).map(({ localName }) => localName);

describe('the reasons', () => {
  it('have a row in the table for each value of the contract, and none besides', () => {
    expect(Object.keys(REASONS).sort()).toEqual([...names].sort());
  });

  it('have a section in docs/errors.md with the same status, and none besides', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');
    const sections = [...page.matchAll(/^## ([A-Z_]+)\n+`([A-Z_]+)`/gm)].map(
      ([, reason, code]) => `${reason} ${code}`,
    );
    expect(sections.sort()).toEqual(
      Object.entries(REASONS)
        .map(([reason, { status }]) => `${reason} ${CodeSchema.value[status]?.name}`)
        .sort(),
    );
  });
});
