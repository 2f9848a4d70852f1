import { join } from 'node:path';
import { settingsTextsConformance } from '@callpass/testkit/settings-texts-conformance';
import { SETTINGS_PREFIX } from './load.ts';
import { settingsSchema } from './schema.ts';

settingsTextsConformance({
  schema: settingsSchema,
  prefix: SETTINGS_PREFIX,
  sample: join(import.meta.dirname, '..', '..', 'settings.sample.yaml'),
});
