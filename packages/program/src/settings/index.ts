export {
  cannotListen,
  leafPaths,
  loadSettings,
  SettingsError,
  variableOf,
  type FormerNames,
  type SettingsSource,
} from './load.ts';
export {
  duration,
  flag,
  hostAndPort,
  moment,
  sectionList,
  textList,
  webAddress,
  wholeNumber,
} from './fields.ts';
export { doorSettings } from './door.ts';
