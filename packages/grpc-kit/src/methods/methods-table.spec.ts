import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { describe, expect, it } from '@jest/globals';
import { EchoService } from '../testing/gen/kit/v1/echo_pb.ts';
import { assertEveryMethodHasRow, defineMethods, type MethodRows } from './methods-table.ts';

interface Row {
  readonly role: string;
}
const services = { echo: EchoService };
const rows: MethodRows<typeof services, Row> = {
  echo: { say: { role: 'a' }, repeat: { role: 'b' }, join: { role: 'c' }, chat: { role: 'd' } },
};
const { say, repeat, join } = rows.echo;

describe('a methods table', () => {
  it('gives the row of each method', () => {
    const table = defineMethods(services, rows);
    expect(EchoService.methods.map((method) => table.row(method).role)).toEqual(['a', 'b', 'c', 'd']);
    expect([...table.entries()].map(([name]) => name)).toContain('kit.v1.EchoService/Chat');
  });

  it('refuses to be made without a row for every RPC, by type and at run time', () => {
    // @ts-expect-error -- chat has no row
    const incomplete: MethodRows<typeof services, Row> = { echo: { say, repeat, join } };
    expect(() => defineMethods(services, incomplete)).toThrow(
      'methods table: no row for kit.v1.EchoService/Chat',
    );
  });

  it('names every row that has no RPC, and every service nobody has', () => {
    const more = { echo: { ...rows.echo, shout: say }, ghost: { say } };
    expect(() => defineMethods(services, more as typeof rows)).toThrow(
      'methods table: no RPC for row ghost; no RPC for row kit.v1.EchoService/shout',
    );
  });

  it('does not take what objects inherit for rows', () => {
    const inherited = { echo: Object.create(rows.echo) as typeof rows.echo };
    expect(() => defineMethods(services, inherited)).toThrow('no row for kit.v1.EchoService/Say');
  });

  it('fails the start when a served service is not in it, and when one in it is not served', () => {
    const table = defineMethods(services, rows);
    assertEveryMethodHasRow([EchoService], table);
    expect(() => assertEveryMethodHasRow([EchoService, Health], table)).toThrow(
      'no row for grpc.health.v1.Health/Check; no row for grpc.health.v1.Health/Watch; no row for grpc.health.v1.Health/List',
    );
    expect(() => assertEveryMethodHasRow([], table)).toThrow('no RPC for row kit.v1.EchoService/Say');
  });

  it('has no answer for a method it does not know', () => {
    expect(() => defineMethods(services, rows).row(Health.method.check)).toThrow(
      'no row for grpc.health.v1.Health/Check',
    );
  });
});
