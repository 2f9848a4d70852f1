import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CREDENTIALS } from '../routes/schemas.ts';
import { FORMS } from './forms.ts';

const proto = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../../../proto/callpass/v1', name), 'utf8');

/** Pattern and text of a rule of the contract. */
function ruleOf(name: string): { pattern: string; description: string } {
  const rule = new RegExp(
    `optional bool ${name} = [^}]*?message: ("[^\\n]*")\\s+expression: ("!rule [^\\n]*")`,
  ).exec(proto('field_rules.proto'));
  const [description = '', expression = ''] = (rule ?? []).slice(1).map((text) => JSON.parse(text) as string);
  return { pattern: /this\.matches\(r'(.*)'\)$/.exec(expression)?.[1] ?? '', description };
}

/** The rules of a field of the request for credentials. */
function fieldOf(name: string): string {
  const request = proto('credential_service.proto').split('message IssueCredentialsRequest {')[1] ?? '';
  return new RegExp(`string ${name} = \\d+ \\[([^;]*)\\];`).exec(request)?.[1] ?? '';
}
const numberIn = (rules: string, rule: string) => Number(new RegExp(`${rule} = (\\d+)`).exec(rules)?.[1]);

describe('what a browser may write is what the contract says:', () => {
  it.each([
    ['destination', 'identifier', FORMS.destinationId],
    ['callee', 'address', FORMS.address],
    ['caller', 'address', FORMS.address],
  ])('%s', (field, rule, { pattern, description }) => {
    expect(fieldOf(field)).toContain(`(callpass.v1.${rule}) = true`);
    expect({ pattern, description }).toEqual(ruleOf(rule));
  });

  it('lengths', () => {
    const { id } = CREDENTIALS.params.properties as Record<string, { maxLength: number }>;
    const { callee, caller } = CREDENTIALS.body.properties as Record<string, { maxLength: number }>;
    expect(id?.maxLength).toBe(numberIn(fieldOf('destination'), 'max_len'));
    // Characters here and bytes there: what is longer in bytes only is refused by the service, with the same reason.
    expect(callee?.maxLength).toBe(numberIn(fieldOf('callee'), 'max_bytes'));
    expect(caller?.maxLength).toBe(numberIn(fieldOf('caller'), 'max_bytes'));
  });

  it('the key of a repeated request is a UUID, as protovalidate reads one', () => {
    expect(fieldOf('request_id')).toContain('string.uuid = true');
    const form = new RegExp(FORMS.idempotencyKey.pattern);
    // The expression of `string.uuid` in buf/validate/validate.proto.
    const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
    const near = fc
      .tuple(fc.uuid(), fc.nat(35), fc.constantFrom('', '-', 'g', '0', 'F', ' '))
      .map(([text, at, char]) => text.slice(0, at) + char + text.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(fc.uuid(), near), (text) => {
        expect(form.test(text)).toBe(uuid.test(text));
        expect(form.test(`"${text}"`)).toBe(uuid.test(text));
      }),
    );
  });
});
