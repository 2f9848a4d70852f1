import type { Command } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import { EXIT } from '@callpass/program';
import type { RunCommand } from '../run-command.ts';
import { serviceName } from '../wording.ts';

/** `callpass health`. */
export function addHealthCommand(program: Command, run: RunCommand): void {
  program
    .command('health')
    .description(
      'ask for the health of the server, or of one of its services; ends with 1 unless it is SERVING',
    )
    .argument('[service]', 'full name of a service; left out, the server and all of them', '')
    .action((service: string, _options: unknown, command: Command) =>
      run(command, async ({ health, answer }) => {
        if (service !== '') {
          const response = await health.check({ service });
          answer(response, (print, { status }) => {
            print.table(HEADER, [[service, status]]);
          });
          return exitCodeOf(response.status);
        }
        const response = await health.list({});
        answer(response, (print, { statuses }) => {
          const rows = Object.entries((statuses ?? {}) as Record<string, JsonObject>);
          print.table(
            HEADER,
            rows.map(([name, each]) => [serviceName(name), each['status']]),
          );
        });
        return exitCodeOf(response.statuses['']?.status);
      }),
    );
}

const HEADER = ['SERVICE', 'STATUS'];

/** ServingStatus.SERVING of grpc.health.v1. */
const SERVING = 1;

const exitCodeOf = (status: number | undefined) => (status === SERVING ? EXIT.done : EXIT.failed);
